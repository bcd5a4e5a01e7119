package api

import (
	"net/http"
	"net/url"
	"strings"
)

// scopedNames lets the name of an npm package stand in a path as it is: /packages/@scope/name/upgrade is routed as
// /packages/@scope%2Fname/upgrade is. Behind it a name is one part of the path, still escaped.
func scopedNames(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if joined, ok := joinScope(r.URL.EscapedPath()); ok {
			r = r.Clone(r.Context())
			r.URL.RawPath = joined
			if plain, err := url.PathUnescape(joined); err == nil { // RawPath counts only if it is an encoding of Path
				r.URL.Path = plain
			}
		}
		next.ServeHTTP(w, r)
	})
}

// joinScope escapes the slash of the first @scope/name below /packages/.
func joinScope(path string) (string, bool) {
	if !strings.HasPrefix(path, "/packages/") {
		return "", false
	}
	before, scope, found := strings.Cut(path, "/@")
	if !found {
		before, scope, found = strings.Cut(path, "/%40")
	}
	name, rest, slashed := strings.Cut(scope, "/")
	if !found || !slashed || strings.Contains(strings.ToUpper(name), "%2F") || rest == "" {
		return "", false
	}
	return before + "/@" + name + "%2F" + rest, true
}
