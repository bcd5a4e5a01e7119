package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/internal/auth"
)

// What the query may say of the user, the body may say too: backends of the older service put it there.
func TestEveryBodyMayNameItsUser(t *testing.T) {
	t.Parallel()
	doc, err := api.OpenAPI()
	require.NoError(t, err)
	type schema struct {
		Ref        string `json:"$ref"`
		Properties map[string]any
		Additional any `json:"additionalProperties"`
	}
	var all struct {
		Paths map[string]map[string]struct {
			OperationID string
			Parameters  []struct{ Name, In string }
			RequestBody struct {
				Content map[string]struct{ Schema schema }
			}
		}
		Components struct{ Schemas map[string]schema }
	}
	require.NoError(t, json.Unmarshal(doc, &all))
	looked := 0
	for _, operations := range all.Paths {
		for _, o := range operations {
			body, ok := o.RequestBody.Content["application/json"]
			named := false
			for _, p := range o.Parameters {
				named = named || p.In == "query" && p.Name == "user_id"
			}
			if !ok || !named {
				continue
			}
			looked++
			s := body.Schema
			if s.Ref != "" {
				s = all.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
			}
			require.Contains(t, s.Properties, "user_id", o.OperationID)
			if s.Additional != true { // a database's form has a username of its own
				require.Contains(t, s.Properties, "username", o.OperationID)
			}
		}
	}
	require.Greater(t, looked, 15)
}

// A user whom a body names is the one for whom it is done, in every body that could not say so once.
func TestBodiesNameTheUserTheyAreFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const tool = "/mcp/servers/notion/tools/search"
	key := r.apiKey("user_123")
	alice := r.token("alice", auth.Admin)
	added := r.do(call{method: http.MethodPost, path: "/mcp/servers", key: key, body: `{"username":"user_123","name":"notion","url":"https://example.com/mcp","enabled":false}`})
	require.Equal(t, http.StatusCreated, added.Code, added.Body)
	added = r.do(call{method: http.MethodPost, path: "/mcp/servers", token: alice, body: `{"name":"notion","url":"https://example.com/mcp","enabled":false,"is_public":false}`})
	require.Equal(t, http.StatusCreated, added.Code, added.Body)
	for _, c := range []struct {
		method, path, rest string
		status             int // for a backend whose body names its user
	}{
		{"POST", "/mcp/servers/notion/oauth", `"accessToken":"x"`, http.StatusServiceUnavailable}, // this rig reaches no servers
		{"POST", "/secrets/set", `"serverName":"notion","secretName":"A","secretValue":"b"`, http.StatusOK},
		{"POST", "/secrets/delete", `"serverName":"notion","secretName":"A"`, http.StatusOK},
		{"PUT", tool, `"read_only":true`, http.StatusNotFound}, // there is no such tool
		{"POST", tool + "/review", `"accept":true,"pin":"x"`, http.StatusNotFound},
		{"POST", "/packages/install", `"name":"x","serverName":"x"`, http.StatusForbidden}, // admins alone
		{"PUT", "/packages/x/upgrade", `"version":"1.0.0"`, http.StatusForbidden},
	} {
		for _, member := range []string{"user_id", "username"} {
			body := func(user string) string { return `{"` + member + `":"` + user + `",` + c.rest + `}` }
			if c.path == "/secrets/delete" {
				w := r.do(call{method: "POST", path: "/secrets/set", key: key, body: `{"username":"user_123","serverName":"notion","secretName":"A","secretValue":"b"}`})
				require.Equal(t, http.StatusOK, w.Code, w.Body)
			}
			w := r.do(call{method: c.method, path: c.path, key: key, body: body("user_123")})
			require.Equal(t, c.status, w.Code, "%s %s %s: %s", c.method, c.path, member, w.Body)
			w = r.do(call{method: c.method, path: c.path, token: alice, body: body("bob")})
			require.Equal(t, auth.CodeOwnerMismatch, problem(t, w, http.StatusForbidden).Code, "%s %s", c.path, member)
			w = r.do(call{method: c.method, path: c.path, token: alice, body: body("alice")})
			require.NotEqual(t, http.StatusUnprocessableEntity, w.Code, "%s %s: %s", c.path, member, w.Body)
		}
	}
}
