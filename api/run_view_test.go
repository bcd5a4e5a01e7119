package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/api"
	stand "steward/dev/counterpart/google"
	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/run"
)

func TestRunRepeatsWhatItWasAsked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect("alice", "mail.readonly")
	alice := r.token("alice", auth.User)
	w := r.do(call{method: http.MethodPost, path: "/automation/run", token: alice, body: `{
		"instructions": "x", "mode": "worker", "connections": ["mail"], "limits": {"cost_usd": 0.290001},
		"output_schema": {"type": "object", "properties": {"z": {"type": "string"}, "a": {"type": "number"}}}
	}`})
	require.Equal(t, http.StatusAccepted, w.Code, w.Body.String())
	shown := r.do(call{path: w.Header().Get("Location"), token: alice})
	got := decoded[api.Run](t, shown, http.StatusOK)
	require.Equal(t, "worker", got.Input.Mode)
	require.Equal(t, []string{"mail"}, got.Input.Connections)
	require.Empty(t, got.Input.Servers)
	require.InEpsilon(t, 0.290001, *got.Input.Limits.CostUSD, 1e-15)
	require.Contains(t, shown.Body.String(), `"cost_usd":0.290001`)
	require.Contains(t, shown.Body.String(), `{"z":{"type":"string"},"a":{"type":"number"}}`, "the order of a schema is kept")
	var micros int64
	require.NoError(t, r.db.Pool.QueryRow(t.Context(), "SELECT (limits->>'cost_micro_usd')::bigint FROM automation_runs").Scan(&micros))
	require.EqualValues(t, 290_001, micros)

	plain := decoded[api.Run](t, r.do(call{path: fmt.Sprintf("/automation/run/%d", r.run("alice")), token: alice}), http.StatusOK)
	require.Equal(t, "worker", plain.Input.Mode)
	require.Nil(t, plain.Input.Limits.CostUSD, "no limit")
	require.Nil(t, plain.Input.OutputSchema)
	require.Equal(t, []string{"mail"}, plain.Input.Connections, "who names nothing may use all")

	_, err := r.db.Pool.Exec(t.Context(), `INSERT INTO mcp_servers (id, name, transport, url) VALUES (7, 'docs', 'http', 'https://docs.example.com/mcp')`)
	require.NoError(t, err)
	w = r.do(call{method: http.MethodPost, path: "/automation/run", token: alice, body: `{"instructions":"x","mode":"provider","mcp_server_id":7}`})
	hosted := decoded[api.Run](t, r.do(call{path: w.Header().Get("Location"), token: alice}), http.StatusOK)
	require.Equal(t, "provider", hosted.Input.Mode)
	require.Equal(t, []int64{7}, hosted.Input.Servers)
}

func TestIdempotencyIsAboutWhatIsAsked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	start := func(limits string) call {
		return call{
			method: http.MethodPost, path: "/automation/run", body: `{"instructions":"x","limits":` + limits + `}`,
			token: r.token("alice", auth.User), header: map[string]string{"Idempotency-Key": "k"},
		}
	}
	require.Equal(t, http.StatusAccepted, r.do(start(`{"cost_usd":5}`)).Code)
	require.Equal(t, "true", r.do(start(`{"cost_usd":5.00}`)).Header().Get("Idempotency-Replayed"))
	require.Equal(t, "idempotency_mismatch", problem(t, r.do(start(`{"cost_usd":5.01}`)), http.StatusUnprocessableEntity).Code)
}

func TestRunShowsDataAndWhoSawIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.run("alice")
	r.question("alice", id, "call_a")
	_, err := r.db.Pool.Exec(t.Context(), "UPDATE tool_calls SET executed_by = 'provider', evidence = 'reported'")
	require.NoError(t, err)
	path := fmt.Sprintf("/automation/run/%d", id)
	got := decoded[api.Run](t, r.do(call{path: path, token: r.token("alice", auth.User)}), http.StatusOK)
	require.Equal(t, "provider", got.ToolCalls[0].ExecutedBy)
	require.Equal(t, "reported", got.ToolCalls[0].Evidence)
	require.Equal(t, api.Explanation{
		Rules: []api.Rule{{Code: "unknown_addressee", Text: "it would reach bob@example.com"}}, Tainted: []string{"mailbox/read"},
		Addressees: []api.Addressee{{Value: "bob@example.com", Where: "to"}},
	}, got.ToolCalls[0].Question.Explanation)

	row, err := r.db.GetRunForWorker(t.Context(), id)
	require.NoError(t, err)
	sealed, err := r.ring.Seal(run.OutputBinding(row.Owner, row.WorkflowID), []byte(`{"text":"{}","data":{"total":1240.00}}`))
	require.NoError(t, err)
	_, err = r.db.Pool.Exec(t.Context(), "UPDATE automation_runs SET output_sealed = $2, state = 'success', finished_at = now() WHERE id = $1", id, sealed)
	require.NoError(t, err)
	got = decoded[api.Run](t, r.do(call{path: path, token: r.token("alice", auth.User)}), http.StatusOK)
	require.Equal(t, `{"total":1240.00}`, string(got.Output.Data), "as the model wrote it")
}

func TestParkedRunSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.run("alice")
	path := fmt.Sprintf("/automation/run/%d", id)
	r.park(id, automation.WaitingForModel, `{"reason":"the model is away","since":"2026-11-20T09:30:03Z","retry_at":"2026-11-20T09:40:03Z"}`)
	got := decoded[api.Run](t, r.do(call{path: path, token: r.token("alice", auth.User)}), http.StatusOK)
	at := time.Date(2026, 11, 20, 9, 40, 3, 0, time.UTC)
	require.Equal(t, &api.Waiting{Reason: "the model is away", Since: at.Add(-10 * time.Minute), RetryAt: &at}, got.Waiting)
	require.Equal(t, "pending", got.Status)
	r.finish(id)
	got = decoded[api.Run](t, r.do(call{path: path, token: r.token("alice", auth.User)}), http.StatusOK)
	require.Nil(t, got.Waiting, "it is over")
}

// Who may read a run and connect gets a link to go on with, a new one each time; who may only read gets none.
func TestParkedRunLeadsToConsent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.run("carol")
	s.park(id, automation.WaitingForAuth, `{"reason":"Mail was not granted what MAIL_SEND needs","provider":"google","connector":"mail",`+
		`"scopes":["mail.send","mail.all"],"version":0,"since":"2026-11-20T09:30:03Z"}`)
	read := call{path: fmt.Sprintf("/automation/run/%d", id), token: s.token("carol", auth.User)}
	first := decoded[api.Run](t, s.do(read), http.StatusOK)
	require.Equal(t, []string{"mail.send", "mail.all"}, first.Waiting.Scopes)
	require.True(t, strings.HasPrefix(first.Waiting.URL, s.url+"/auth/google/login?link="), first.Waiting.URL)
	second := decoded[api.Run](t, s.do(read), http.StatusOK)
	require.NotEqual(t, first.Waiting.URL, second.Waiting.URL)

	only := read
	only.token = s.token("carol", auth.User, auth.RunsRead)
	require.Empty(t, decoded[api.Run](t, s.do(only), http.StatusOK).Waiting.URL)
	foreign := read
	foreign.token = s.token("bob", auth.User)
	problem(t, s.do(foreign), http.StatusNotFound)
	for _, table := range []string{"automation_runs", "audit_events", "oauth_links"} {
		stored := 0
		link, err := url.Parse(first.Waiting.URL)
		require.NoError(t, err)
		err = s.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM "+table+" t WHERE strpos(t::text, $1) > 0", link.Query().Get("link")).Scan(&stored)
		require.NoError(t, err)
		require.Zero(t, stored, "links are not stored")
	}

	page := stand.NewBrowser().SignIn(t, second.Waiting.URL, stand.Alice)
	require.Equal(t, http.StatusOK, page.Status, page.Body)
	connected := s.connected("carol")
	require.Len(t, connected, 1)
	require.Contains(t, connected[0].Scopes, "mail.send")
	require.NotContains(t, connected[0].Scopes, "mail.readonly", "what was missing is asked for, no more")
	refused(t, stand.NewBrowser().Open(t, second.Waiting.URL), http.StatusForbidden, "link_invalid")
}
