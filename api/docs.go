package api

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"

	"github.com/go-chi/chi/v5"
)

//go:embed docs
var docsFiles embed.FS

// docsPolicy keeps the reference page to itself: scripts and styles from files of ours alone, requests
// to this server alone. The page's icons are data: images.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsPage serves the interactive reference from the binary, without a request to anywhere else.
func docsPage(r chi.Router) error {
	serve := map[string]http.HandlerFunc{}
	for _, name := range []string{"index.html", "page.js", "swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"} {
		content, err := fs.ReadFile(docsFiles, path.Join("docs", name))
		if err != nil {
			return fmt.Errorf("embedded reference page: %w", err)
		}
		serve[name] = static(name, content)
	}
	r.Get("/docs", serve["index.html"])
	r.Get("/docs/{file}", func(w http.ResponseWriter, r *http.Request) {
		handler, ok := serve[chi.URLParam(r, "file")]
		if !ok {
			handler = unknownPath
		}
		handler(w, r)
	})
	return nil
}

// static serves one file that changes only with the binary; browsers ask each time and get 304.
func static(name string, content []byte) http.HandlerFunc {
	sum := sha256.Sum256(content)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", docsPolicy)
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", etag)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	}
}
