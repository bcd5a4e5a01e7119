package api_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"

	"steward/api"
	"steward/internal/auth"
)

func TestRatesArePerPrincipal(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *api.Deps) { d.Rates.Create, d.Rates.Read, d.Rates.APIKey = 2, 3, 4 })
	start := func(token string) call {
		return call{method: http.MethodPost, path: "/automation/run", body: `{"instructions":"x"}`, token: token}
	}
	alice, bob := r.token("alice", auth.User), r.token("bob", auth.User)
	for range 2 {
		require.Equal(t, http.StatusAccepted, r.do(start(alice)).Code)
	}
	w := r.do(start(alice))
	require.Equal(t, "rate_limited", problem(t, w, http.StatusTooManyRequests).Code)
	require.Equal(t, "60", w.Header().Get("Retry-After"))
	require.Equal(t, 2, r.rows()["automation_runs"])
	require.Equal(t, http.StatusAccepted, r.do(start(bob)).Code, "somebody else has a limit of their own")
	for range 3 {
		require.Equal(t, http.StatusOK, r.do(call{path: "/auth/me", token: alice}).Code, "reading is counted apart")
	}
	problem(t, r.do(call{path: "/auth/me", token: alice}), http.StatusTooManyRequests)
	key := r.apiKey("carol")
	for range 4 {
		require.Equal(t, http.StatusOK, r.do(call{path: "/auth/me?user_id=carol", key: key}).Code)
	}
	problem(t, r.do(call{path: "/auth/me?user_id=carol", key: key}), http.StatusTooManyRequests)

	for range 3 {
		problem(t, r.do(call{path: "/auth/me", token: "guess"}), http.StatusUnauthorized)
	}
	problem(t, r.do(call{path: "/auth/me", token: "guess"}), http.StatusTooManyRequests)
	require.Equal(t, http.StatusOK, r.do(call{path: "/auth/me", token: bob}).Code, "who guesses at the same address shuts nobody out")
}

func TestReadyNamesWhatIsMissingAndNotWhy(t *testing.T) {
	t.Parallel()
	var away error
	r := newRig(t, func(d *api.Deps) {
		d.Probes = append(d.Probes, api.Probe{Name: "temporal", Check: func(context.Context) error { return away }})
	})
	require.JSONEq(t, `{"status":"ready","checks":{"postgres":"ok","temporal":"ok"}}`, r.do(call{path: "/ready"}).Body.String())

	away = errors.New("dial tcp 10.0.0.5:7233: password=hunter2")
	r2 := newRig(t, func(d *api.Deps) {
		d.Probes = []api.Probe{{Name: "temporal", Check: func(context.Context) error { return away }}}
	})
	w := r2.do(call{path: "/ready"})
	p := problem(t, w, http.StatusServiceUnavailable)
	require.Equal(t, "not_ready", p.Code)
	require.Equal(t, []api.Complaint{{Location: "temporal", Message: "not available"}}, p.Errors)
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	require.NotContains(t, w.Body.String(), "10.0.0.5")
	require.Contains(t, r2.logs.String(), "10.0.0.5", "the log says why")
	require.Equal(t, http.StatusOK, r2.do(call{path: "/health"}).Code, "alive all the same")
}

func TestLogoutEndsTheToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	alice := r.token("alice", auth.User)
	require.Equal(t, http.StatusOK, r.do(call{path: "/auth/me", token: alice}).Code)
	w := r.do(call{method: http.MethodPost, path: "/auth/logout", token: alice})
	require.JSONEq(t, `{"success":true}`, w.Body.String())
	require.Equal(t, `"cookies", "storage"`, w.Header().Get("Clear-Site-Data"))
	problem(t, r.do(call{path: "/auth/me", token: alice}), http.StatusUnauthorized)
}

func TestWellKnownDocuments(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	keys := decoded[auth.JWKS](t, r.do(call{path: "/.well-known/jwks.json"}), http.StatusOK)
	require.Len(t, keys.Keys, 1)
	meta := decoded[map[string]any](t, r.do(call{path: "/.well-known/oauth-protected-resource"}), http.StatusOK)
	require.Equal(t, publicURL, meta["resource"])
}

type panicking struct{}

func (panicking) Encode([]*commonpb.Payload) ([]*commonpb.Payload, error) {
	panic("secret in a panic")
}

func (panicking) Decode([]*commonpb.Payload) ([]*commonpb.Payload, error) {
	panic("secret in a panic")
}

func TestPanicIsAProblem(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *api.Deps) { d.Codec = panicking{} })
	w := r.do(call{method: http.MethodPost, path: "/codec/decode", body: `{"payloads":[]}`, token: r.token("root", auth.Admin)})
	require.Equal(t, "internal", problem(t, w, http.StatusInternalServerError).Code)
	require.NotContains(t, w.Body.String(), "secret")
	require.Contains(t, r.logs.String(), "panic in a request")
}

func TestEveryAnswerIsHardened(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, path := range []string{"/health", "/nothing", "/automation/runs", "/docs", "/docs/page.js", "/openapi.json"} {
		h := r.do(call{path: path}).Header()
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
		require.Equal(t, "DENY", h.Get("X-Frame-Options"), path)
		require.Equal(t, "no-referrer", h.Get("Referrer-Policy"), path)
		require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'", path)
		require.NotEmpty(t, h.Get("X-Request-Id"), path)
	}
	require.Equal(t, []string{"GET", "HEAD"}, r.do(call{method: http.MethodPost, path: "/health"}).Header().Values("Allow"))
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	t.Parallel()
	r, g := toolRig(t)
	alices := r.belongings(g.URL) // the run is not over: its event stream would stay open
	alice := r.token("alice", auth.Admin)
	for _, op := range operations(t) {
		if op.method != http.MethodGet {
			continue
		}
		c := op.on(t, alices, "alice")
		c.method, c.token = http.MethodHead, alice
		switch op.ID {
		case "openCodec", "beginGoogleLogin", "finishGoogleLogin", "beginSlackConsent", "finishSlackConsent", "beginServerConsent", "finishServerConsent", "finishServerConsentAt": // these do something, once
			require.Equal(t, http.StatusMethodNotAllowed, r.do(c).Code, op.ID)
			continue
		case "listPublishedVersions", "getPublishedVersion": // an admin's
			c.path = strings.Replace(c.path, alices.server, "test.steward%2Fmcp-github", 1)
		}
		w := r.do(c)
		require.Equal(t, http.StatusOK, w.Code, op.ID)
		for media := range op.Responses["200"].Content {
			require.Equal(t, media, w.Header().Get("Content-Type"), op.ID)
		}
	}
	require.Equal(t, http.StatusUnauthorized, r.do(call{method: http.MethodHead, path: "/automation/runs"}).Code)
	require.Equal(t, http.StatusNotFound, r.do(call{method: http.MethodHead, path: "/nothing"}).Code)
	require.Equal(t, http.StatusMethodNotAllowed, r.do(call{method: http.MethodHead, path: "/automation/run"}).Code)
}

func TestDocsPageAsksNobodyElse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	page := r.do(call{path: "/docs"})
	require.Equal(t, http.StatusOK, page.Code)
	policy := page.Header().Get("Content-Security-Policy")
	require.NotContains(t, policy, "unsafe")
	require.NotContains(t, policy, "http")
	for _, directive := range []string{"script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		require.Contains(t, policy, directive)
	}
	require.NotRegexp(t, `<script>|<style|\son\w+=|\sstyle=`, page.Body.String(), "nothing inline")
	links := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	require.GreaterOrEqual(t, len(links), 4)
	for _, link := range links {
		require.True(t, strings.HasPrefix(link[1], "/") && !strings.HasPrefix(link[1], "//"), link[1])
		require.Equal(t, http.StatusOK, r.do(call{path: link[1]}).Code, link[1])
	}
	script := r.do(call{path: "/docs/page.js"})
	require.Contains(t, script.Body.String(), "validatorUrl: null")
	require.NotContains(t, script.Body.String(), "http")
	require.NotRegexp(t, `@import|url\(["']?(?:https?:)?//`, r.do(call{path: "/docs/swagger-ui.css"}).Body.String())

	again := r.do(call{path: "/docs/page.js", header: map[string]string{"If-None-Match": script.Header().Get("ETag")}})
	require.Equal(t, http.StatusNotModified, again.Code)
	problem(t, r.do(call{path: "/docs/README.md"}), http.StatusNotFound)
	problem(t, r.do(call{path: "/docs/..%2fdocs.go"}), http.StatusNotFound)
}

func TestServedDocumentIsTheCommittedOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	golden(t, "openapi.json", r.do(call{path: "/openapi.json"}).Body.Bytes())
	yaml := r.do(call{path: "/openapi.yaml"})
	require.Equal(t, "application/yaml", yaml.Header().Get("Content-Type"))
	require.Contains(t, yaml.Body.String(), "operationId: startRun")
}

func TestSlowAndGreedyClientsAreHeldOff(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := api.NewServer(t.Context(), r.handler, slog.New(slog.DiscardHandler))
	require.Equal(t, 5*time.Second, server.ReadHeaderTimeout)
	require.Equal(t, 30*time.Second, server.ReadTimeout)
	require.Equal(t, 60*time.Second, server.IdleTimeout)
	require.Equal(t, 64<<10, server.MaxHeaderBytes)
	require.Zero(t, server.WriteTimeout, "it would cut event streams")

	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	dial := func() net.Conn {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		require.NoError(t, c.SetDeadline(time.Now().Add(15*time.Second)))
		return c
	}
	dripping := make([]net.Conn, 300)
	for i := range dripping {
		dripping[i] = dial()
		_, err := fmt.Fprint(dripping[i], "POST /automation/run HTTP/1.1\r\nHost: localhost\r\nX-")
		require.NoError(t, err)
	}
	honest := dial()
	_, err = fmt.Fprint(honest, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.NoError(t, err)
	line, err := bufio.NewReader(honest).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 200 OK\r\n", line)

	greedy := dial()
	_, err = fmt.Fprintf(greedy, "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Pad: %s\r\n\r\n", strings.Repeat("x", 80<<10))
	require.NoError(t, err)
	line, err = bufio.NewReader(greedy).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "431")

	_, err = io.Copy(io.Discard, dripping[0])
	require.NoError(t, err, "the header timeout ends it")
}
