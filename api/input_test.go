package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/internal/auth"
	"steward/internal/auth/authtest"
)

// canary stands in every rejected value. No answer may repeat it.
const canary = "hunter2canary"

// refusal is a request that must be refused, and how.
type refusal struct {
	name   string
	call   call
	status int
	code   string
	at     string // location of the first complaint; empty: no complaint about a field
}

func post(path, body string) call { return call{method: http.MethodPost, path: path, body: body} }

func refusals(id int64) []refusal {
	run := fmt.Sprintf("/automation/run/%d", id)
	decide := run + "/calls/call_a/decision"
	start := func(body string) call { return post("/automation/run", body) }
	with := func(c call, name, value string) call {
		c.header = map[string]string{name: value}
		return c
	}
	const (
		invalid   = http.StatusUnprocessableEntity
		malformed = http.StatusBadRequest
		media     = http.StatusUnsupportedMediaType
		ok        = `{"instructions":"` + canary + `"}`
	)
	return []refusal{
		{"no body", post("/automation/run", ""), malformed, "malformed", ""},
		{"not JSON", start(`{"instructions": ` + canary), malformed, "malformed", "body"},
		{"two documents", start(ok + ok), malformed, "malformed", "body"},
		{"not UTF-8", start("{\"instructions\":\"\xff" + canary + "\"}"), malformed, "malformed", "body"},
		{"a list", start(`["` + canary + `"]`), invalid, "invalid", "body"},
		{"null", start(`null`), invalid, "invalid", "body"},
		{"instructions missing", start(`{"tool_name":"` + canary + `"}`), invalid, "invalid", "body"},
		{"instructions empty", start(`{"instructions":""}`), invalid, "invalid", "body.instructions"},
		{"instructions blank", start(`{"instructions":"  "}`), invalid, "invalid", "body.instructions"},
		{"instructions a number", start(`{"instructions":7}`), invalid, "invalid", "body.instructions"},
		{"instructions null", start(`{"instructions":null}`), invalid, "invalid", "body.instructions"},
		{"instructions with NUL", start(`{"instructions":"` + canary + `\u0000"}`), invalid, "invalid", "body.instructions"},
		{"instructions too many characters", start(`{"instructions":"` + strings.Repeat("x", 64<<10+1) + `"}`), invalid, "invalid", "body.instructions"},
		{"instructions too many bytes", start(`{"instructions":"` + strings.Repeat("ä", 40<<10) + `"}`), invalid, "invalid", "body.instructions"},
		{"unknown field", start(`{"instructions":"x","password":"` + canary + `"}`), invalid, "invalid", "body.password"},
		{"field in capitals", start(`{"instructions":"x","Model":"` + canary + `"}`), invalid, "invalid", "body.Model"},
		{"output schema of anything", start(`{"instructions":"x","output_schema":{}}`), invalid, "invalid", "body.output_schema"},
		{"output schema a text", start(`{"instructions":"x","output_schema":"` + canary + `"}`), invalid, "invalid", "body.output_schema"},
		{"output schema null", start(`{"instructions":"x","output_schema":null}`), invalid, "invalid", "body.output_schema"},
		{"output schema from elsewhere", start(`{"instructions":"x","output_schema":{"type":"object","$ref":"https://` + canary + `/s"}}`), invalid, "invalid", "body.output_schema"},
		{"output schema too deep", start(`{"instructions":"x","output_schema":{"type":"object"` + strings.Repeat(`,"not":{"title":"x"`, 70) + strings.Repeat("}", 71) + `}`), invalid, "invalid", "body.output_schema"},
		{"connection absent", start(`{"instructions":"x","connections":["` + canary + `"]}`), invalid, "invalid", "body.connections[0]"},
		{"connection not connected", start(`{"instructions":"x","connections":["mail"]}`), invalid, "invalid", "body.connections[0]"},
		{"server 0", start(`{"instructions":"x","mcp_server_id":0}`), invalid, "invalid", "body.mcp_server_id"},
		{"server a text", start(`{"instructions":"x","mcp_server_id":"` + canary + `"}`), invalid, "invalid", "body.mcp_server_id"},
		{"server a fraction", start(`{"instructions":"x","mcp_server_id":1.5}`), invalid, "invalid", "body.mcp_server_id"},
		{"server beyond 64 bits", start(`{"instructions":"x","mcp_server_id":1e30}`), invalid, "invalid", "body"},
		{"server absent", start(`{"instructions":"x","mcp_server_id":4711}`), invalid, "invalid", "body.mcp_server_id"},
		{"server of somebody else", start(`{"instructions":"x","mcp_server_id":900}`), invalid, "invalid", "body.mcp_server_id"},
		{"named server absent", start(`{"instructions":"x","servers":["` + canary + `"]}`), invalid, "invalid", "body.servers[0]"},
		{"named server with NUL", start(`{"instructions":"x","servers":["a\u0000"]}`), invalid, "invalid", "body.servers[0]"},
		{"tool name with NUL", start(`{"instructions":"x","tool_name":"a\u0000"}`), invalid, "invalid", "body.tool_name"},
		{"model with a space", start(`{"instructions":"x","model":"` + canary + ` x"}`), invalid, "invalid", "body.model"},
		{"mode unknown", start(`{"instructions":"x","mode":"` + canary + `"}`), invalid, "invalid", "body.mode"},
		{"approval unknown", start(`{"instructions":"x","approval":"` + canary + `"}`), invalid, "invalid", "body.approval"},
		{"limits 0 steps", start(`{"instructions":"x","limits":{"steps":0}}`), invalid, "invalid", "body.limits.steps"},
		{"limits too many steps", start(`{"instructions":"x","limits":{"steps":1001}}`), invalid, "invalid", "body.limits.steps"},
		{"limits 0 dollars", start(`{"instructions":"x","limits":{"cost_usd":0}}`), invalid, "invalid", "body.limits.cost_usd"},
		{"limits too many dollars", start(`{"instructions":"x","limits":{"cost_usd":1000001}}`), invalid, "invalid", "body.limits.cost_usd"},
		{"limits less than a micro-dollar", start(`{"instructions":"x","limits":{"cost_usd":0.1234567}}`), invalid, "invalid", "body.limits.cost_usd"},
		{"limits dollars a text", start(`{"instructions":"x","limits":{"cost_usd":"1"}}`), invalid, "invalid", "body.limits.cost_usd"},
		{"limits dollars null", start(`{"instructions":"x","limits":{"cost_usd":null}}`), invalid, "invalid", "body.limits.cost_usd"},
		{"limits dollars beyond floats", start(`{"instructions":"x","limits":{"cost_usd":1e999}}`), malformed, "malformed", "body"},
		{"metadata a text", start(`{"instructions":"x","metadata":"` + canary + `"}`), invalid, "invalid", "body.metadata"},
		{"metadata with many members", start(`{"instructions":"x","metadata":{` + members(17) + `}}`), invalid, "invalid", "body.metadata"},
		{"metadata too large", start(`{"instructions":"x","metadata":{"a":"` + strings.Repeat("x", 9<<10) + `"}}`), invalid, "invalid", "body.metadata"},
		{"metadata with NUL", start(`{"instructions":"x","metadata":{"a":[{"b\u0000":1}]}}`), invalid, "invalid", "body.metadata"},
		{"too large, said", start(`{"instructions":"` + strings.Repeat("x", 1<<20) + `"}`), http.StatusRequestEntityTooLarge, "too_large", ""},
		{"text", with(start(ok), "Content-Type", "text/plain"), media, "unsupported_media_type", ""},
		{"form", with(start(ok), "Content-Type", "application/x-www-form-urlencoded"), media, "unsupported_media_type", ""},
		{"no type", with(start(ok), "Content-Type", ""), media, "unsupported_media_type", ""},
		{"other charset", with(start(ok), "Content-Type", "application/json; charset=utf-16"), media, "unsupported_media_type", ""},
		{"JSON of a kind", with(start(ok), "Content-Type", "application/vnd.api+json"), media, "unsupported_media_type", ""},
		{"key with a space", with(start(ok), "Idempotency-Key", "a b"), invalid, "invalid", "header.Idempotency-Key"},
		{"key too long", with(start(ok), "Idempotency-Key", strings.Repeat("k", 256)), invalid, "invalid", "header.Idempotency-Key"},
		{"other user in the query", start(ok), http.StatusForbidden, "owner_mismatch", ""},
		{"other user in the body", start(`{"instructions":"x","user_id":"bob"}`), http.StatusForbidden, "owner_mismatch", ""},
		{"two users", post("/automation/run?user_id=alice&username="+canary, ok), invalid, "invalid", "query.username"},

		{"run not a number", call{path: "/automation/run/" + canary}, invalid, "invalid", "path.id"},
		{"run 0", call{path: "/automation/run/0"}, invalid, "invalid", "path.id"},
		{"run beyond 64 bits", call{path: "/automation/run/99999999999999999999"}, invalid, "invalid", "path.id"},
		{"run absent", call{path: "/automation/run/4711"}, http.StatusNotFound, "not_found", ""},
		{"unknown query parameter", call{path: run + "?verbose=" + canary}, invalid, "invalid", "query.verbose"},
		{"query not encoded", call{path: run + "?user_id=%zz"}, malformed, "malformed", ""},

		{"limit 0", call{path: "/automation/runs?limit=0"}, invalid, "invalid", "query.limit"},
		{"limit 201", call{path: "/automation/runs?limit=201"}, invalid, "invalid", "query.limit"},
		{"limit a text", call{path: "/automation/runs?limit=" + canary}, invalid, "invalid", "query.limit"},
		{"cursor invented", call{path: "/automation/runs?cursor=" + canary}, invalid, "invalid", "query.cursor"},
		{"status unknown", call{path: "/automation/runs?status=" + canary}, invalid, "invalid", "query.status"},
		{"state unknown", call{path: "/automation/runs?state=" + canary}, invalid, "invalid", "query.state"},
		{"since not a time", call{path: "/automation/runs?since=" + canary}, invalid, "invalid", "query.since"},

		{"resume from nonsense", with(call{path: run + "/events"}, "Last-Event-ID", canary), invalid, "invalid", "header.Last-Event-ID"},
		{"resume before the start", call{path: run + "/events?after=-1"}, invalid, "invalid", "query.after"},

		{"decision unknown", post(decide, `{"decision":"`+canary+`","digest":"digest"}`), invalid, "invalid", "body.decision"},
		{"decision without digest", post(decide, `{"decision":"approve"}`), invalid, "invalid", "body"},
		{"decision of the other kind", post(decide, `{"decision":"retry","digest":"digest"}`), invalid, "invalid", "body.decision"},
		{"decision on a stale digest", post(decide, `{"decision":"approve","digest":"`+canary+`"}`), http.StatusConflict, "stale_digest", ""},
		{"edit without arguments", post(decide, `{"decision":"edit","digest":"digest"}`), invalid, "invalid", "body.arguments"},
		{"approve with arguments", post(decide, `{"decision":"approve","digest":"digest","arguments":{}}`), invalid, "invalid", "body.arguments"},
		{"reason with NUL", post(decide, `{"decision":"deny","digest":"digest","reason":"`+canary+`\u0000"}`), invalid, "invalid", "body.reason"},
		{"call id with NUL", post(run+"/calls/a%00/decision", `{"decision":"approve","digest":"digest"}`), invalid, "invalid", "path.call_id"},
		{"call of another run", post("/automation/run/4711/calls/call_a/decision", `{"decision":"approve","digest":"digest"}`), http.StatusNotFound, "not_found", ""},
		{"call absent", post(run+"/calls/call_zz/decision", `{"decision":"approve","digest":"digest"}`), http.StatusNotFound, "not_found", ""},

		{"connect what is not there", post("/api/integrations/connect", `{"provider":"`+canary+`"}`), invalid, "invalid", "body.provider"},
		{"connect for somebody else", post("/api/integrations/connect", `{"provider":"mail","user_id":"bob"}`), http.StatusForbidden, "owner_mismatch", ""},
		{"disconnect what is not there", post("/api/integrations/disconnect", `{"provider":"`+canary+`"}`), invalid, "invalid", "body.provider"},
		{"disconnect what is not connected", post("/api/integrations/disconnect", `{"provider":"mail"}`), invalid, "invalid", "body.provider"},
		{"disconnect for somebody else", post("/api/integrations/disconnect", `{"provider":"mail","user_id":"bob"}`), http.StatusForbidden, "owner_mismatch", ""},
		{"connections of somebody else", call{path: "/api/integrations/connected?user_id=bob"}, http.StatusForbidden, "owner_mismatch", ""},
		{"land on nothing", call{path: "/api/integrations/callback?status=success"}, invalid, "invalid", "query.appName"},
		{"land with a word of one's own", call{path: "/api/integrations/callback?appName=mail&status=" + canary}, invalid, "invalid", "query.status"},
		{"sign in by a name", call{path: "/auth/google/login?user_id=" + canary}, http.StatusForbidden, "link_required", ""},
		{"sign in by a link that nobody made", call{path: "/auth/google/login?link=" + canary}, http.StatusForbidden, "link_invalid", ""},
		{"come back from nowhere", call{path: "/auth/google/callback?code=" + canary + "&state=" + canary}, malformed, "state_invalid", ""},
		{"come back without a word", call{path: "/auth/google/callback"}, malformed, "state_invalid", ""},

		{"unknown path", call{path: "/automation/" + canary}, http.StatusNotFound, "not_found", ""},
		{"unknown method", call{method: http.MethodDelete, path: run}, http.StatusMethodNotAllowed, "method_not_allowed", ""},
		{"foreign host", with(call{path: "/health"}, "Host", "evil.test"), http.StatusMisdirectedRequest, "misdirected_request", ""},
		{"foreign origin, safe method", with(call{path: "/automation/runs"}, "Origin", "http://evil.test"), http.StatusForbidden, "cross_origin", ""},
		{"foreign origin", with(start(ok), "Origin", "http://evil.test"), http.StatusForbidden, "cross_origin", ""},
		{"foreign site", with(start(ok), "Sec-Fetch-Site", "cross-site"), http.StatusForbidden, "cross_origin", ""},
	}
}

func members(n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(`"m%d":1`, i)
	}
	return strings.Join(parts, ",")
}

func TestBadInputIsRefusedPreciselyAndWritesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.db.Pool.Exec(t.Context(), `INSERT INTO mcp_servers (id, owner, name, transport) VALUES (900, 'bob', 'bobs', 'http')`)
	require.NoError(t, err)
	id := r.run("alice")
	r.question("alice", id, "call_a")
	alice := r.token("alice", auth.User)
	before := r.rows()
	for _, c := range refusals(id) { //nolint:paralleltest // rows are counted after each
		t.Run(c.name, func(t *testing.T) {
			c.call.token = alice
			if c.name == "other user in the query" {
				c.call.path += "?user_id=bob"
			}
			w := r.do(c.call)
			p := problem(t, w, c.status)
			require.Equal(t, c.code, p.Code)
			if c.at == "" {
				require.Empty(t, p.Errors)
			} else {
				require.NotEmpty(t, p.Errors)
				require.Equal(t, c.at, p.Errors[0].Location)
			}
			if !strings.HasPrefix(c.at, "query.verbose") {
				require.NotContains(t, w.Body.String(), canary, "the rejected value")
			}
			require.Equal(t, before, r.rows(), "nothing was written")
		})
	}
	require.NotContains(t, r.logs.String(), canary)
}

func TestForgedTokensAreRefusedOnEveryOperation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.Equal(t, http.StatusOK, r.do(call{path: "/auth/me", token: authtest.Unspoiled(t, r.options)}).Code)
	forged := authtest.Forged(t, r.options)
	require.GreaterOrEqual(t, len(forged), 24)
	before := r.rows()
	for _, f := range forged {
		req := r.request(call{method: http.MethodPost, path: "/automation/run", body: `{"instructions":"x"}`})
		req.Header["Authorization"] = []string{"Bearer " + f.Token}
		w := r.serve(req)
		p := problem(t, w, http.StatusUnauthorized)
		require.NotEmpty(t, p.Code, f.Name)
		require.Contains(t, w.Header().Get("WWW-Authenticate"), `Bearer realm="steward", resource_metadata="`+publicURL+`/.well-known/oauth-protected-resource"`, f.Name)
	}
	require.Equal(t, before, r.rows())
}

func TestHostileHeadersAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, value := range []string{"' OR 1=1 --", `"; DROP TABLE api_keys; --`, "mk_' OR ''='_x", "Basic YWxpY2U6eA==", "bearer"} {
		for _, name := range []string{"Authorization", "X-API-Key"} {
			w := r.do(call{path: "/automation/runs", header: map[string]string{name: value}})
			require.Equal(t, auth.CodeInvalidToken, problem(t, w, http.StatusUnauthorized).Code, "%s: %s", name, value)
		}
	}
	none := problem(t, r.do(call{path: "/automation/runs"}), http.StatusUnauthorized)
	require.Equal(t, auth.CodeUnauthenticated, none.Code)
	both := problem(t, r.do(call{path: "/automation/runs", token: r.token("alice", auth.User), key: r.apiKey("alice")}), http.StatusUnauthorized)
	require.Equal(t, auth.CodeInvalidToken, both.Code)
}

func TestAPIKeyActsForItsTenantsAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := r.apiKey("alice", "bob")
	start := func(query, body string) call {
		return call{method: http.MethodPost, path: "/automation/run" + query, body: body, key: key}
	}
	for _, c := range []call{
		start("", `{"instructions":"x","user_id":"bob"}`),
		start("", `{"instructions":"x","username":"bob"}`),
		start("?user_id=bob", `{"instructions":"x"}`),
		start("?username=bob", `{"instructions":"x","user_id":"bob"}`),
	} {
		w := r.do(c)
		require.Equal(t, http.StatusAccepted, w.Code, w.Body.String())
	}
	list := decoded[struct {
		Runs []api.RunSummary `json:"runs"`
	}](t, r.do(call{path: "/automation/runs?user_id=bob", key: key}), http.StatusOK)
	require.Len(t, list.Runs, 4)
	require.Equal(t, "bob", list.Runs[0].UserID)

	before := r.rows()
	for _, c := range []call{
		start("", `{"instructions":"x"}`), // "default" is not among the key's tenants
		start("", `{"instructions":"x","user_id":"carol"}`),
		start("?user_id=carol", `{"instructions":"x"}`),
		start("?user_id=*", `{"instructions":"x"}`),
		start("?user_id=bob", `{"instructions":"x","user_id":"alice"}`),
		{path: "/automation/runs?user_id=carol", key: key},
		{path: "/automation/runs?user_id=%00", key: key},
	} {
		problem(t, r.do(c), http.StatusForbidden)
	}
	two := problem(t, r.do(start("", `{"instructions":"x","user_id":"alice","username":"bob"}`)), http.StatusUnprocessableEntity)
	require.Equal(t, "body.username", two.Errors[0].Location)
	require.Equal(t, before, r.rows())

	actor := ""
	require.NoError(t, r.db.Pool.QueryRow(t.Context(), "SELECT DISTINCT actor FROM automation_runs").Scan(&actor))
	require.Regexp(t, "^apikey:", actor, "who acted is kept apart from for whom")
}
