package api

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"steward/api/mcp"
	"steward/internal/auth"
)

// mcpEdge is the gate as our MCP server knows it.
type mcpEdge struct {
	*gate

	streams  *streams
	metadata string // URL of the protected resource metadata of /mcp alone
}

// mountMCP serves /mcp beside the operations whose paths begin like it.
func mountMCP(router chi.Router, h http.Handler) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		router.Method(method, mcp.Path, h)
	}
	router.Method(http.MethodGet, mcp.PathSSE, h)
	router.Method(http.MethodPost, mcp.PathMessages, h)
}

// speaksMCP reports whether a path is one of our MCP server's own.
func speaksMCP(path string) bool {
	return path == mcp.Path || path == mcp.PathSSE || path == mcp.PathMessages
}

// Admit takes a token or an API key. The console's cookie is not looked at, nor is the body: an API key names its user
// in the query.
func (e *mcpEdge) Admit(w http.ResponseWriter, r *http.Request) (auth.Principal, error) {
	p, err := e.present(r)
	if err = e.recognize(w, r, p, err); err != nil {
		return p, err
	}
	counter := e.limits.mcp
	if p.Kind == auth.APIKey {
		counter = e.limits.apiKey
	}
	return p, take(counter, w, r, p.Actor)
}

func (e *mcpEdge) present(r *http.Request) (auth.Principal, error) {
	owner, err := named(r, inQuery)
	if err != nil {
		return auth.Principal{}, err
	}
	return e.authenticator.Authenticate(r.Context(), r.Header.Get("Authorization"), r.Header.Get("X-API-Key"), owner)
}

// Allow counts apart what the HTTP API counts apart: calls that create something, and those of tools.
func (e *mcpEdge) Allow(w http.ResponseWriter, r *http.Request, p auth.Principal, scope auth.Scope) error {
	if err := p.Require(scope); err != nil || p.Kind == auth.APIKey {
		return err
	}
	switch scope {
	case auth.RunsExecute:
		return take(e.limits.create, w, r, p.Actor)
	case auth.ToolsCall:
		return take(e.limits.calls, w, r, p.Actor)
	default:
		return nil
	}
}

// Enter counts streams together with those of runs.
func (e *mcpEdge) Enter(owner string) (leave func(), err error) { return e.streams.enter(owner) }

// Refuse answers with a problem. Its challenge names what to ask for, so that a client can do so step by step.
func (e *mcpEdge) Refuse(w http.ResponseWriter, r *http.Request, err error, scope auth.Scope) {
	if challenge := challengeOf(err, e.metadata, scope); challenge != "" {
		if !strings.Contains(challenge, "scope=") {
			challenge += `, scope="` + string(scope) + `"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	refuse(w, r, err)
}
