package api

import (
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"steward/internal/fault"
)

func stack() string { return string(debug.Stack()) }

// secure sets the headers that every answer carries. Pages set their own, wider policy.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// allowHosts refuses requests that name a host we do not answer for. A page of evil.test whose name
// was rebound to 127.0.0.1 still sends "Host: evil.test" (T-04). Loopback names always pass.
func allowHosts(hosts []string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			name := strings.ToLower(hostname(r.Host))
			if !loopback(name) && !slices.Contains(hosts, name) {
				refuse(w, r, newProblem(http.StatusMisdirectedRequest, "", "this server does not answer for that host"))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

func loopback(name string) bool {
	if name == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.IsLoopback()
}

// sameOrigin refuses what a browser sends on behalf of another site: unsafe methods by the standard
// library's rule (Sec-Fetch-Site, then Origin), safe ones if they name a foreign Origin. The codec
// endpoint, made for another origin, has a rule of its own.
func sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin, err := url.Parse(r.Header.Get("Origin"))
		foreign := err != nil || r.Header.Get("Origin") != "" && !strings.EqualFold(origin.Host, r.Host)
		if !strings.HasPrefix(r.URL.Path, codecPrefix) && (foreign || protection.Check(r) != nil) {
			refuse(w, r, fault.New(fault.Forbidden, "requests from other sites are refused").WithCode("cross_origin"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

const (
	codecBody = 8 << 20 // one page of the Temporal Web UI, to be decoded
	mcpBody   = 4 << 20 // one message to our MCP server
)

// limitBody bounds what is read of a body, and refuses at once what says that it is larger.
func limitBody(bytes int64) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			limit := bytes
			switch {
			case strings.HasPrefix(r.URL.Path, codecPrefix):
				limit = codecBody
			case speaksMCP(r.URL.Path):
				limit = mcpBody
			}
			if r.ContentLength > limit {
				refuse(w, r, &http.MaxBytesError{Limit: limit})
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, limit)
			next.ServeHTTP(w, r)
		})
	}
}

// jsonOnly refuses bodies that are not declared as JSON, missing declarations included: a page of
// another site can send text/plain or no type at all without asking first.
func jsonOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 && r.Body != http.NoBody && !isJSON(r.Header.Get("Content-Type")) {
			refuse(w, r, newProblem(http.StatusUnsupportedMediaType, "", "send the body as Content-Type: application/json"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isJSON(contentType string) bool {
	media, params, err := mime.ParseMediaType(contentType)
	charset, given := params["charset"]
	return err == nil && media == "application/json" && (!given || strings.EqualFold(charset, "utf-8"))
}

// unknownPath and unknownMethod replace chi's text answers.
func unknownPath(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, fault.New(fault.NotFound, "no such path"))
}

func unknownMethod(routes chi.Routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
			if !routes.Match(chi.NewRouteContext(), m, r.URL.Path) {
				continue
			}
			w.Header().Add("Allow", m) // RFC 9110 §15.5.6
			if m == http.MethodGet {
				w.Header().Add("Allow", http.MethodHead)
			}
		}
		refuse(w, r, newProblem(http.StatusMethodNotAllowed, "", "the path exists, the method does not"))
	}
}
