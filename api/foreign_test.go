package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/vault"
)

// belongings give alice one of everything that somebody can have, all of which has her name in it.
func (r *rig) belongings(url string) objects {
	r.t.Helper()
	const number = 90210
	ctx := r.t.Context()
	require.NoError(r.t, registry.Register(ctx, r.db.Queries, r.ring, registry.Server{ID: number, Name: "alices_notes", Transport: "http", URL: url, Trusted: true}))
	_, err := r.db.Pool.Exec(ctx, "UPDATE mcp_servers SET owner = 'alice' WHERE id = $1", number)
	require.NoError(r.t, err)
	require.NoError(r.t, r.deps.Vault.Set(ctx, vault.Change{Owner: "alice", Actor: "alice", Server: number, Name: "GITHUB_TOKEN"}, secret.New("x")))
	_, err = r.db.Pool.Exec(ctx, "INSERT INTO packages (server_name, name, runtime, status, created_by) VALUES ('alices-package', 'alices-package', 'node', 'installed', 'alice')")
	require.NoError(r.t, err)
	database := r.connectDatabase("alice", "alices ledger")
	run := r.run("alice")
	r.question("alice", run, "call_of_alice")
	called := decoded[calledTool](r.t, r.callTool("alice", strings.Replace(createIssue, "mcp-github", "alices_notes", 1)), http.StatusOK)
	return objects{run: fmt.Sprint(run), call: "call_of_alice", server: "alices_notes", tool: "create_issue", number: number, direct: called.CallID, pkg: "alices-package", database: database}
}

// byNumber names the server so.
func (o objects) byNumber() objects {
	o.server = strconv.FormatInt(o.number, 10)
	return o
}

// Every operation that names an object answers somebody else's as if it were not there (T-14).
func TestForeignObjectsLookAbsent(t *testing.T) {
	t.Parallel()
	r, g := toolRig(t)
	alices, bobs, mixed := r.belongings(g.URL), nobodys, nobodys
	run := r.run("bob")
	r.question("bob", run, "call_of_bob")
	bobs.run, mixed.run, mixed.call = fmt.Sprint(run), fmt.Sprint(run), alices.call
	before := r.rows()
	tested := map[int]int{}
	for _, op := range operations(t) {
		want := http.StatusNotFound
		switch {
		case len(op.Security) == 0 || !op.names(t):
			continue
		case !slices.Contains(auth.User.Scopes(), op.Scope):
			want = http.StatusForbidden // nobody but admins has any
		case strings.Contains(op.path, "{"):
		case strings.Contains(op.on(t, nobodys, "bob").body, "mcp_server_id"), strings.Contains(op.on(t, nobodys, "bob").body, "db_id"):
			want = http.StatusUnprocessableEntity
		}
		tested[want]++
		answer := func(o objects) string {
			c := op.on(t, o, "bob")
			c.token = r.token("bob", auth.User)
			if op.ID == "changeServer" {
				c.body = `{"title":"mine"}` // the example is an admin's
			}
			w := r.do(c)
			p := problem(t, w, want)
			return strings.NewReplacer(p.RequestID, "", o.server, "", fmt.Sprint(o.number), "", o.pkg, "").Replace(w.Body.String())
		}
		require.Equal(t, answer(nobodys), answer(alices), op.ID)
		require.Equal(t, answer(nobodys.byNumber()), answer(alices.byNumber()), op.ID)
		if strings.Contains(op.path, "{call_id}") {
			require.Equal(t, answer(bobs), answer(mixed), "%s on somebody else's call in an own run", op.ID)
		}
		if op.method == http.MethodGet && want == http.StatusNotFound && !strings.HasPrefix(op.path, "/v0.1/") {
			c := op.on(t, alices, "alice")
			c.method, c.token = http.MethodHead, r.token("alice", auth.User)
			require.Equal(t, http.StatusOK, r.do(c).Code, "%s on one's own", op.ID)
		}
	}
	require.GreaterOrEqual(t, tested[http.StatusNotFound], 20)
	require.Positive(t, tested[http.StatusForbidden])
	require.Positive(t, tested[http.StatusUnprocessableEntity])
	require.Equal(t, before, r.rows(), "nothing was written")
}

// No list holds what is somebody else's, and filters tell nothing of it.
func TestListsHoldOnesOwn(t *testing.T) {
	t.Parallel()
	r, g := toolRig(t)
	alices := r.belongings(g.URL)
	r.connect("alice", "mail.all")
	full := 0
	for _, op := range operations(t) {
		if op.method != http.MethodGet || len(op.Security) == 0 || strings.Contains(op.path, "{") || !slices.Contains(auth.User.Scopes(), op.Scope) {
			continue
		}
		list := func(user, query string) string {
			w := r.do(call{path: op.on(t, nobodys, user).path + query, token: r.token(user, auth.User)})
			require.Equal(t, http.StatusOK, w.Code, "%s: %s", op.ID, w.Body)
			return w.Body.String()
		}
		queries := []string{""}
		for _, p := range op.Params {
			if p.In == "query" && p.Name == "server" {
				queries = append(queries, "?server="+alices.byNumber().server)
			}
		}
		for _, query := range queries {
			require.NotContains(t, strings.ToLower(list("bob", query)), "alice", op.ID)
		}
		if strings.Contains(strings.ToLower(list("alice", "")), "alice") {
			full++
		}
	}
	require.GreaterOrEqual(t, full, 5, "alice sees her runs, servers, tools, secrets and connections")
}

// The same through MCP.
func TestMCPToolsKnowTheirOwner(t *testing.T) {
	t.Parallel()
	r, g := toolRig(t)
	alices := r.belongings(g.URL)
	run, err := strconv.ParseInt(alices.run, 10, 64)
	require.NoError(t, err)
	before := r.rows()
	session := r.session(r.listen(), "", r.token("bob", auth.User))
	ask := func(tool string, arguments map[string]any) *sdk.CallToolResult {
		result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: arguments})
		require.NoError(t, err)
		return result
	}
	for _, c := range []struct {
		tool, code, member string
		alices, nobodys    any
		more               map[string]any
	}{
		{"get_run_detail", "not_found", "run_id", run, 4711, nil},
		{"get_workflow_history", "not_found", "run_id", run, 4711, nil},
		{"cancel_run", "not_found", "run_id", run, 4711, nil},
		{"decide_call", "not_found", "run_id", run, 4711, map[string]any{"call_id": alices.call, "decision": "approve", "digest": "digest"}},
		{"run_automation", "invalid", "mcp_server_id", alices.number, nobodys.number, map[string]any{"instructions": "x"}},
		{"run_automation", "invalid", "servers", []string{alices.server}, []string{nobodys.server}, map[string]any{"instructions": "x"}},
		{"call_tool", "not_found", "name", "mcp_alices_notes__create_issue", "mcp_nothing__create_issue", nil},
	} {
		var answers []string
		for _, object := range []any{c.alices, c.nobodys} {
			arguments := map[string]any{c.member: object}
			for name, value := range c.more {
				arguments[name] = value
			}
			result := ask(c.tool, arguments)
			require.True(t, result.IsError, c.tool)
			require.Equal(t, c.code, result.Meta["dev.steward/code"], c.tool)
			answers = append(answers, strings.NewReplacer("alices_notes", "", "nothing", "", fmt.Sprint(alices.number), "", fmt.Sprint(nobodys.number), "").Replace(text(t, result)))
		}
		require.Equal(t, answers[1], answers[0], c.tool)
	}
	require.Equal(t, before, r.rows())
	for _, list := range []string{"get_automation_runs", "get_mcp_servers", "list_tools"} {
		result := ask(list, nil)
		require.False(t, result.IsError, text(t, result))
		require.NotContains(t, text(t, result), "alice", list)
	}
}
