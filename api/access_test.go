package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/internal/auth"
)

// documented is an operation as the OpenAPI document describes it.
type documented struct {
	ID       string           `json:"operationId"`
	Summary  string           `json:"summary"`
	Text     string           `json:"description"`
	Tags     []string         `json:"tags"`
	Security []map[string]any `json:"security"`
	Scope    auth.Scope       `json:"x-required-scope"`
	Params   []struct {
		Name     string `json:"name"`
		In       string `json:"in"`
		Required bool   `json:"required"`
		Schema   struct {
			Examples []any `json:"examples"`
		} `json:"schema"`
	} `json:"parameters"`
	Body struct {
		Content map[string]struct {
			Example json.RawMessage `json:"example"`
		} `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Ref     string                     `json:"$ref"`
		Content map[string]json.RawMessage `json:"content"`
	} `json:"responses"`

	method, path string
}

// operations reads every operation from the document, so that a new one is tested without being named.
func operations(t *testing.T) []documented {
	t.Helper()
	raw, err := api.OpenAPI()
	require.NoError(t, err)
	var doc struct {
		Paths map[string]map[string]documented `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(raw, &doc))
	var all []documented
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			op := doc.Paths[path][method]
			op.method, op.path = strings.ToUpper(method), path
			all = append(all, op)
		}
	}
	require.NotEmpty(t, all)
	return all
}

// objects are one of each kind that a request can name.
type objects struct {
	run, call    string
	server, tool string
	number       int64 // of the server
	direct       string
	pkg          string
	database     string
}

// nobodys are what a request names that should find nothing.
var nobodys = objects{run: "4711", call: "call_zz", server: "nothing", tool: "look", number: 60602, direct: "call_zz", pkg: "nothing", database: "db_nothing"}

// on is the request that the document shows, for other objects and in the name of user; it waits for nothing.
func (d documented) on(t *testing.T, o objects, user string) call {
	t.Helper()
	id, name := o.run, o.server
	switch {
	case strings.HasPrefix(d.path, "/mcp/tool/calls/"):
		id = o.direct
	case strings.HasPrefix(d.path, "/packages/"):
		name = o.pkg
	}
	c := call{method: d.method, path: strings.NewReplacer("{id}", id, "{call_id}", o.call, "{name}", name, "{tool}", o.tool, "{version}", "latest", "{place}", "9f86d081884c7d65").Replace(d.path)}
	query := url.Values{}
	for _, p := range d.Params {
		switch {
		case p.In != "query":
		case p.Name == "wait":
			query.Set(p.Name, "false")
		case p.Required:
			query.Set(p.Name, fmt.Sprint(p.Schema.Examples[0]))
		}
	}
	if len(query) > 0 {
		c.path += "?" + query.Encode()
	}
	example := d.Body.Content["application/json"].Example
	if example == nil {
		return c
	}
	var members map[string]any
	require.NoError(t, json.Unmarshal(example, &members))
	for member, value := range map[string]any{
		"user_id": user, "username": user, "serverName": o.server, "mcp_server_id": o.number, "db_id": o.database, "action": "DB_QUERY_" + o.database,
	} {
		if _, named := members[member]; named {
			members[member] = value
		}
	}
	body, err := json.Marshal(members)
	require.NoError(t, err)
	c.body = string(body)
	return c
}

// names says whether a request names an object.
func (d documented) names(t *testing.T) bool {
	t.Helper()
	one, other := d.on(t, nobodys, "alice"), d.on(t, objects{run: "1"}, "alice")
	return one.path != other.path || one.body != other.body
}

// TestAccessMatrix asks every operation as every role and compares the answers with the document and
// with the committed matrix.
func TestAccessMatrix(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	roles := append([]auth.Role{"nobody"}, auth.Roles()...)
	var matrix strings.Builder
	fmt.Fprintf(&matrix, "%-24s %-14s", "operation", "scope")
	for _, role := range roles {
		fmt.Fprintf(&matrix, " %-8s", role)
	}
	matrix.WriteByte('\n')
	for _, op := range operations(t) {
		fmt.Fprintf(&matrix, "%-24s %-14s", op.ID, op.Scope)
		for _, role := range roles {
			c := op.on(t, nobodys, "alice")
			switch role {
			case "nobody":
			case auth.Service:
				c.key = r.apiKey(auth.DefaultOwner, "alice")
			default:
				c.token = r.token("alice", role) // a fresh one: logout ends it
			}
			got := r.do(c).Code
			require.Less(t, got, http.StatusInternalServerError, "%s as %s", op.ID, role)
			verdict := "ok"
			if len(op.Security) > 0 && (got == http.StatusUnauthorized || got == http.StatusForbidden) { // else it is the link that is refused
				verdict = fmt.Sprint(got)
			}
			require.Equal(t, expected(op, role), verdict, "%s as %s", op.ID, role)
			fmt.Fprintf(&matrix, " %-8s", verdict)
		}
		matrix.WriteByte('\n')
	}
	golden(t, "testdata/access.txt", []byte(matrix.String()))
}

// expected is what the document and the roles promise.
func expected(op documented, role auth.Role) string {
	switch {
	case len(op.Security) == 0:
		return "ok"
	case role == "nobody":
		return "401"
	case op.Scope != "" && !slices.Contains(role.Scopes(), op.Scope):
		return "403"
	case op.ID == "logout" && role == auth.Service:
		return "403" // a key is revoked by an admin, it cannot log out
	}
	return "ok"
}

func TestEveryOperationIsDescribed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, op := range operations(t) {
		require.NotEmpty(t, op.ID, op.path)
		require.False(t, seen[op.ID], "operationId %s twice", op.ID)
		seen[op.ID] = true
		require.NotEmpty(t, op.Summary, op.ID)
		require.NotEmpty(t, op.Text, op.ID)
		require.NotEmpty(t, op.Tags, op.ID)
		require.Contains(t, op.Responses, "500", op.ID)
		require.Equal(t, len(op.Security) > 0, op.Responses["401"].Ref != "" && op.ID != "openCodec", op.ID)
		require.NotContains(t, op.Responses, "default", op.ID)
		for status, response := range op.Responses {
			if status >= "400" {
				require.NotEmpty(t, response.Ref, "%s %s", op.ID, status)
			} else {
				for media, content := range response.Content {
					if media == "application/json" && op.ID != "getOpenAPI" {
						require.Contains(t, string(content), `"example"`, "%s %s", op.ID, status)
					}
				}
			}
		}
		if len(op.Body.Content) > 0 {
			require.NotEmpty(t, op.Body.Content["application/json"].Example, op.ID)
		}
	}
}
