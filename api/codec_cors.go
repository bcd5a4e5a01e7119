package api

import (
	"net/http"
	"net/url"
	"strings"

	"steward/internal/fault"
)

// codecCORS admits one foreign origin to /codec, exactly: the Temporal Web UI, with its cookie. Every
// other origin is refused, whatever it may not read anyway.
func codecCORS(ui string) func(http.Handler) http.Handler {
	allowed := originOf(ui)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, codecPrefix) {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Add("Vary", "Origin")
			origin := r.Header.Get("Origin")
			if origin != "" && origin != allowed && origin != "http://"+r.Host && origin != "https://"+r.Host {
				refuse(w, r, fault.New(fault.Forbidden, "requests from other sites are refused").WithCode("cross_origin"))
				return
			}
			if origin == allowed && allowed != "" {
				h := w.Header()
				h.Set("Access-Control-Allow-Origin", allowed)
				h.Set("Access-Control-Allow-Credentials", "true")
				h.Set("Cross-Origin-Resource-Policy", "cross-origin")
				if r.Method == http.MethodOptions {
					h.Set("Access-Control-Allow-Methods", "POST")
					h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Namespace")
					h.Set("Access-Control-Max-Age", "600")
					w.WriteHeader(http.StatusNoContent)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// originOf is the origin (RFC 6454) of an address, "" if it has none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
