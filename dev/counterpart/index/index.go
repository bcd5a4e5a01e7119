// Package index is a package index for tests, in this process: the npm registry's protocol and the Python simple
// index's, for packages that a test makes on the fly. It counts what is asked of it.
package index

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Index serves what tests put into it until they end.
type Index struct {
	server *httptest.Server

	mu       sync.Mutex
	npm      map[string]map[string]npmRelease // name, version
	wheels   map[string][]wheelFile           // normalized name
	files    map[string][]byte
	asked    []string
	user     string // of a private index
	password string
}

// New starts an empty index.
func New(t testing.TB) *Index {
	t.Helper()
	x := &Index{npm: map[string]map[string]npmRelease{}, wheels: map[string][]wheelFile{}, files: map[string][]byte{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /npm/{name...}", x.packument)
	mux.HandleFunc("GET /simple/{name}/", x.project)
	mux.HandleFunc("GET /files/{name...}", x.file)
	x.server = httptest.NewServer(x.guarded(mux))
	t.Cleanup(x.server.Close)
	return x
}

// NPM is the address of the npm registry.
func (x *Index) NPM() string { return x.server.URL + "/npm/" }

// Simple is the address of the Python index.
func (x *Index) Simple() string { return x.server.URL + "/simple/" }

// Protect lets in only who knows the password, as a private index does.
func (x *Index) Protect(user, password string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.user, x.password = user, password
}

// Asked lists the paths that were asked for, in order.
func (x *Index) Asked() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]string(nil), x.asked...)
}

func (x *Index) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.mu.Lock()
		x.asked = append(x.asked, r.URL.Path)
		wanted, password := x.user, x.password
		x.mu.Unlock()
		user, given, _ := r.BasicAuth()
		if wanted != "" && (user != wanted || given != password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="index"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (x *Index) file(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	content, ok := x.files[r.PathValue("name")]
	x.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(content) // fails only if the caller has gone
}
