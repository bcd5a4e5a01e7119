// Package authority is an OAuth 2.1 authorization server as remote MCP servers have one, an MCP server that it
// guards, and the browser of somebody who consents. The server is oidc-provider, not ours: what it takes is right.
package authority

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart"
)

//go:embed as.mjs
var script []byte

// Options say what the server is like.
type Options struct {
	Lifetime  time.Duration // of access tokens; 0: an hour
	Closed    bool          // no client registers itself
	Documents bool          // client ID metadata documents are read
	Clients   []Client      // registered by hand
}

// Client is one that somebody has registered.
type Client struct {
	ID       string `json:"client_id"`
	Secret   string `json:"client_secret"`
	Redirect string `json:"-"`
}

// Server is one that runs.
type Server struct{ URL string }

// Start runs a server until the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Lifetime == 0 {
		o.Lifetime = time.Hour
	}
	file := filepath.Join(t.TempDir(), "as.mjs")
	require.NoError(t, os.WriteFile(file, script, 0o600))
	port := counterpart.FreePort(t)
	s := &Server{URL: fmt.Sprintf("http://127.0.0.1:%d", port)}
	counterpart.Start(t, counterpart.Program{
		Name: "authorization server", Main: file,
		Env: []string{
			"DEPS=" + counterpart.Deps(t), "PORT=" + strconv.Itoa(port), "LIFETIME=" + strconv.Itoa(int(o.Lifetime.Seconds())),
			"REGISTRATION=" + strconv.FormatBool(!o.Closed), "DOCUMENTS=" + strconv.FormatBool(o.Documents), "CLIENTS=" + clients(t, o.Clients),
		},
		Ready: s.ready,
	})
	return s
}

func clients(t testing.TB, known []Client) string {
	t.Helper()
	all := []map[string]any{}
	for _, c := range known {
		all = append(all, map[string]any{
			"client_id": c.ID, "client_secret": c.Secret, "redirect_uris": []string{c.Redirect}, "application_type": "native",
			"grant_types": []string{"authorization_code", "refresh_token"},
		})
	}
	text, err := json.Marshal(all)
	require.NoError(t, err)
	return string(text)
}

func (s *Server) ready(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/.well-known/oauth-authorization-server", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}
