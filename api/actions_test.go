package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/internal/auth"
	"steward/internal/connector"
)

// executed is the answer of seed 002, field by field.
type executed struct {
	Success   bool            `json:"success"`
	Result    json.RawMessage `json:"result"`
	Truncated bool            `json:"truncated"`
	About     json.RawMessage `json:"about"`
	Error     string          `json:"error"`
	CallID    string          `json:"call_id"`
}

// execute calls a tool with arguments as user.
func (r *rig) execute(user, action, params string, header ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	body, err := json.Marshal(map[string]any{"user_id": user, "action": action, "params": json.RawMessage(params)})
	require.NoError(r.t, err)
	c := call{method: http.MethodPost, path: "/api/tools/execute", body: string(body), token: r.token(user, auth.User), header: map[string]string{}}
	for i := 0; i < len(header); i += 2 {
		c.header[header[i]] = header[i+1]
	}
	return r.do(c)
}

type actionList struct {
	Tools  []api.Action       `json:"tools"`
	Absent []api.AbsentServer `json:"absent"`
}

func (r *rig) actions(user string) actionList {
	r.t.Helper()
	return decoded[actionList](r.t, r.do(call{path: "/api/tools", token: r.token(user, auth.User)}), http.StatusOK)
}

func (l actionList) named(t *testing.T, name string) api.Action {
	t.Helper()
	i := slices.IndexFunc(l.Tools, func(a api.Action) bool { return a.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return l.Tools[i]
}

func TestEverythingThatCanBeCalledIsListed(t *testing.T) {
	t.Parallel()
	r, g := toolRig(t)
	require.NotEmpty(t, r.actions("alice").Tools)
	r.connect("alice", "mail.readonly")
	id := r.connectDatabase("alice", "My Analytics DB")
	list := r.actions("alice")

	query := list.named(t, "DB_QUERY_"+id)
	require.Equal(t, "Query 'My Analytics DB' (PostgreSQL)", query.Description)
	require.Equal(t, "postgres", query.Provider)
	require.Equal(t, id, query.Connection)
	require.EqualValues(t, "read", query.Class)
	require.Empty(t, cmp.Diff(map[string]string{"query": "string (SQL query)"}, query.Parameters))
	require.JSONEq(t, `{"type":"object","properties":{"query":{"type":"string","description":"SQL query"}},"required":["query"],"additionalProperties":false}`, string(query.InputSchema))
	require.NotNil(t, query.OutputSchema)
	require.EqualValues(t, "effect", list.named(t, "DB_WRITE_"+id).Class)
	mail := list.named(t, "MAIL_READ")
	require.Equal(t, []string{"mail", "mail"}, []string{mail.Provider, mail.Connection})
	issue := list.named(t, "mcp_mcp-github__create_issue")
	require.Equal(t, []string{"mcp", "", "mcp-github"}, []string{issue.Provider, issue.Connection, issue.Server})
	require.NotContains(t, issue.Parameters, "githubToken", "a secret parameter is nobody's to see")
	require.Equal(t, []api.AbsentServer{{Server: "mails", Reason: list.Absent[0].Reason}}, list.Absent)
	require.NotContains(t, list.Absent[0].Reason, g.URL)

	for _, a := range r.actions("bob").Tools {
		require.Equal(t, "mcp", a.Provider, a.Name)
	}
	require.Equal(t, http.StatusOK, r.database("alice", "disconnect", `{"db_id":"`+id+`"}`).Code)
	require.NotContains(t, r.do(call{path: "/api/tools", token: r.token("alice", auth.User)}).Body.String(), id, "at once")
}

func TestDatabaseAnswersWithItsRows(t *testing.T) {
	t.Parallel()
	r, _ := toolRig(t)
	id := r.connectDatabase("user_123", "My Analytics DB")
	r.paper.Hold(map[string]any{"campaign_name": "Black Friday", "spend": 5000}, map[string]any{"campaign_name": "Holiday Sale", "spend": 3000})
	answer := decoded[executed](t, r.execute("user_123", "DB_QUERY_"+id, `{"query":"SELECT 1"}`), http.StatusOK)
	require.True(t, answer.Success)
	require.JSONEq(t, `[{"campaign_name":"Black Friday","spend":5000},{"campaign_name":"Holiday Sale","spend":3000}]`, string(answer.Result))
	require.JSONEq(t, `{"columns":["campaign_name","spend","clicks"],"row_count":2,"truncated":false}`, string(answer.About))
	require.NotEmpty(t, answer.CallID)

	refused := decoded[executed](t, r.execute("user_123", "DB_QUERY_"+id, `{"query":""}`), http.StatusOK)
	require.Equal(t, executed{Error: "there is no statement", CallID: refused.CallID}, refused)
	r.paper.Refuse(&connector.Error{Reason: "it cannot be reached"})
	away := problem(t, r.execute("user_123", "DB_QUERY_"+id, `{"query":"SELECT 1"}`), http.StatusBadGateway)
	require.Equal(t, "server_unreachable", away.Code)
	r.paper.Refuse(nil)

	for _, tt := range []struct{ params, at string }{
		{`{}`, "body.params.query"}, {`{"query":7}`, "body.params.query"}, {`{"query":"x","limit":1}`, "body.params.limit"}, {`[]`, "body.params"}, {`null`, "body.params"},
	} {
		p := problem(t, r.execute("user_123", "DB_QUERY_"+id, tt.params), http.StatusUnprocessableEntity)
		require.Equal(t, tt.at, p.Errors[0].Location, tt.params)
	}
	for _, action := range []string{"DB_QUERY", "DB_QUERY_db_nothing", "DB_DROP_" + id, "NOTHING", "mcp_x__y", "GMAIL_SEND_EMAIL"} {
		require.Equal(t, "not_found", problem(t, r.execute("user_123", action, `{}`), http.StatusNotFound).Code, action)
	}
	problem(t, r.execute("alice", "DB_QUERY_"+id, `{"query":"SELECT 1"}`), http.StatusNotFound)
}

// T-36: a lost answer is never told as a failure, and the same key does not send again.
func TestWriteWhoseAnswerIsLostIsUnknown(t *testing.T) {
	t.Parallel()
	r, _ := toolRig(t)
	id := r.connectDatabase("alice", "Ledger")
	write := func(key string) *httptest.ResponseRecorder {
		return r.execute("alice", "DB_WRITE_"+id, `{"query":"UPDATE x"}`, "Idempotency-Key", key)
	}
	first := write("k1")
	done := decoded[executed](t, first, http.StatusOK)
	require.JSONEq(t, `{"affected":1}`, string(done.Result))
	again := write("k1")
	require.Equal(t, "true", again.Header().Get("Idempotency-Replayed"))
	require.Equal(t, first.Body.String(), again.Body.String())
	require.Equal(t, 1, r.paper.Written())

	r.paper.Lose()
	lost := problem(t, write("k2"), http.StatusBadGateway)
	require.Equal(t, "outcome_unknown", lost.Code)
	require.NotEmpty(t, lost.CallID)
	require.Equal(t, lost.CallID, problem(t, write("k2"), http.StatusBadGateway).CallID)
	require.Equal(t, 2, r.paper.Written(), "the second with the key was not sent")
	shown := decoded[api.MCPToolCall](t, r.do(call{path: "/mcp/tool/calls/" + lost.CallID, token: r.token("alice", auth.User)}), http.StatusOK)
	require.EqualValues(t, "unknown", shown.State)
}

func TestQueryIsReplayedForItsKey(t *testing.T) {
	t.Parallel()
	r, _ := toolRig(t)
	id := r.connectDatabase("alice", "x")
	query := func(params string) *httptest.ResponseRecorder {
		return r.execute("alice", "DB_QUERY_"+id, params, "Idempotency-Key", "k")
	}
	r.paper.Hold(1)
	first := query(`{"query":"a"}`)
	r.paper.Hold(2)
	again := query(`{"query":"a"}`)
	require.Equal(t, first.Body.String(), again.Body.String(), "also what the answer says about itself")
	require.Contains(t, again.Body.String(), `"about"`)
	require.Equal(t, "idempotency_mismatch", problem(t, query(`{"query":"b"}`), http.StatusUnprocessableEntity).Code)
}

func TestServersAnswerAsThemselves(t *testing.T) {
	t.Parallel()
	r, g := toolRig(t)
	r.keep("alice", "GITHUB_TOKEN", tokenOfAlice)
	for action, want := range map[string]string{
		"structured": `{"open":3}`, "picture": `[{"type":"image","data":"eA==","mimeType":"image/png"}]`,
	} {
		answer := decoded[executed](t, r.execute("alice", "mcp_mcp-github__"+action, `{}`), http.StatusOK)
		require.True(t, answer.Success, action)
		require.JSONEq(t, want, string(answer.Result), action)
		require.Empty(t, answer.About)
	}
	failed := decoded[executed](t, r.execute("alice", "mcp_mcp-github__fails", `{}`), http.StatusOK)
	require.Equal(t, executed{Error: "repository not found", CallID: failed.CallID}, failed)
	const issue = `{"owner":"username","repo":"repo-name","title":"Issue title","body":"x"}`
	created := r.execute("alice", "mcp_mcp-github__create_issue", issue)
	require.Contains(t, string(decoded[executed](t, created, http.StatusOK).Result), `"created with `, "text is a text")
	require.NotContains(t, created.Body.String(), tokenOfAlice)
	g.lose.Store(true)
	require.Equal(t, "outcome_unknown", problem(t, r.execute("alice", "mcp_mcp-github__create_issue", issue), http.StatusBadGateway).Code)
	require.EqualValues(t, 2, g.issues.Load())
	unnamed := decoded[executed](t, r.do(call{
		method: http.MethodPost, path: "/api/tools/execute", body: `{"action":"mcp_mcp-github__structured"}`, token: r.token("alice", auth.User),
	}), http.StatusOK)
	require.True(t, unnamed.Success, "arguments may be left out where none is needed")
}

func TestToolThatWasNotGrantedSaysWhereToConsent(t *testing.T) {
	t.Parallel()
	r, _ := toolRig(t)
	r.connect("alice", "mail.readonly")
	for _, user := range []string{"alice", "bob"} {
		p := problem(t, r.execute(user, "MAIL_SEND", `{}`), http.StatusForbidden)
		require.Equal(t, "consent_required", p.Code)
		require.True(t, strings.HasPrefix(p.ConnectURL, publicURL+"/auth/google/login?link="))
	}
	list := decoded[struct {
		Integrations []api.Connected `json:"integrations"`
	}](t, r.do(call{path: "/api/integrations/connected", token: r.token("alice", auth.User)}), http.StatusOK)
	require.Len(t, list.Integrations, 1)
	got := list.Integrations[0]
	require.Equal(t, []string{"mail.send"}, got.Missing)
	require.Equal(t, []bool{true, false}, []bool{got.Tools[0].Granted, got.Tools[1].Granted})
}

func TestHealthOfTools(t *testing.T) {
	t.Parallel()
	r, _ := toolRig(t)
	r.connect("alice", "mail.readonly")
	id := r.connectDatabase("alice", "Ledger")
	type health struct {
		Status  string       `json:"status"`
		Checked bool         `json:"checked"`
		Sources []api.Source `json:"sources"`
	}
	look := func(user, query string) health {
		return decoded[health](t, r.do(call{path: "/api/tools/health" + query, token: r.token(user, auth.User)}), http.StatusOK)
	}
	tested := r.paper.Tested.Load()
	require.Empty(t, cmp.Diff(health{Status: "ok", Sources: []api.Source{
		{Kind: "integration", ID: "mail", Name: "Mail", Status: "ok"},
		{Kind: "database", ID: id, Name: "Ledger", Status: "unchecked"},
		{Kind: "server", ID: "mcp-github", Name: "mcp-github", Status: "unchecked"},
		{Kind: "server", ID: "mails", Name: "mails", Status: "unchecked"},
	}}, look("alice", "")))
	require.Equal(t, tested, r.paper.Tested.Load(), "nobody was asked")

	deep := look("alice", "?check=true")
	require.True(t, deep.Checked)
	require.Equal(t, "degraded", deep.Status, "one server wants a consent")
	require.Equal(t, []string{"ok", "ok", "ok", "error"}, []string{deep.Sources[0].Status, deep.Sources[1].Status, deep.Sources[2].Status, deep.Sources[3].Status})
	r.paper.Refuse(&connector.Error{Reason: "password authentication failed"})
	require.Equal(t, api.Source{Kind: "database", ID: id, Name: "Ledger", Status: "error", Reason: "password authentication failed"}, look("alice", "?check=true").Sources[1])
	require.Len(t, look("bob", "").Sources, 2)

	_, err := r.db.Pool.Exec(t.Context(), "UPDATE credentials SET state = 'needs_reconnect', reason = 'withdrawn'")
	require.NoError(t, err)
	got := look("alice", "")
	require.Equal(t, "degraded", got.Status)
	require.Equal(t, api.Source{Kind: "integration", ID: "mail", Name: "Mail", Status: "needs_reconnect", Reason: "withdrawn"}, got.Sources[0])
}
