package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
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
	Body     struct {
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

func (d documented) call(run, callID string) call {
	path := strings.NewReplacer("{id}", run, "{call_id}", callID).Replace(d.path)
	return call{method: d.method, path: path, body: string(d.Body.Content["application/json"].Example)}
}

func TestForeignObjectsLookAbsent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	alices, bobs := r.run("alice"), r.run("bob")
	r.question("alice", alices, "call_a")
	r.question("bob", bobs, "call_b")
	before := r.rows()
	tested := 0
	for _, op := range operations(t) {
		if !strings.Contains(op.path, "{id}") {
			continue
		}
		tested++
		answer := func(run, callID string) string {
			c := op.call(run, callID)
			c.token = r.token("bob", auth.User)
			w := r.do(c)
			p := problem(t, w, http.StatusNotFound)
			return strings.ReplaceAll(w.Body.String(), p.RequestID, "")
		}
		absent := answer("4711", "call_zz")
		require.Equal(t, absent, answer(fmt.Sprint(alices), "call_a"), "%s on somebody else's run", op.ID)
		if strings.Contains(op.path, "{call_id}") {
			own := answer(fmt.Sprint(bobs), "call_zz")
			require.Equal(t, own, answer(fmt.Sprint(bobs), "call_a"), "%s on somebody else's call in an own run", op.ID)
		}
	}
	require.GreaterOrEqual(t, tested, 5)
	require.Equal(t, before, r.rows(), "nothing was written")
}

// TestAccessMatrix asks every operation as every role and compares the answers with the document and
// with the committed matrix.
func TestAccessMatrix(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	roles := append([]auth.Role{"nobody"}, auth.Roles()...)
	var matrix strings.Builder
	fmt.Fprintf(&matrix, "%-22s %-14s", "operation", "scope")
	for _, role := range roles {
		fmt.Fprintf(&matrix, " %-8s", role)
	}
	matrix.WriteByte('\n')
	for _, op := range operations(t) {
		fmt.Fprintf(&matrix, "%-22s %-14s", op.ID, op.Scope)
		for _, role := range roles {
			c := op.call("4711", "call_zz")
			c.body = strings.ReplaceAll(c.body, "user_123", "alice")
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
			if role != "nobody" || len(op.Security) > 0 {
				if got == http.StatusUnauthorized || got == http.StatusForbidden {
					verdict = fmt.Sprint(got)
				}
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
