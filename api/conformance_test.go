package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"steward/api"
)

// promise is the OpenAPI document, ready to judge answers.
type promise struct {
	Paths      map[string]map[string]struct{ Responses map[string]answer } `json:"paths"`
	Components struct {
		Responses map[string]answer          `json:"responses"`
		Schemas   map[string]json.RawMessage `json:"schemas"`
	} `json:"components"`

	routes *chi.Mux
	mu     sync.Mutex
	ready  map[string]*jsonschema.Resolved
}

type answer struct {
	Ref     string `json:"$ref"`
	Content map[string]struct {
		Schema json.RawMessage `json:"schema"`
	} `json:"content"`
}

var thePromise = sync.OnceValues(func() (*promise, error) {
	raw, err := api.OpenAPI()
	if err != nil {
		return nil, err
	}
	// References into the document become references into each schema's own definitions.
	raw = bytes.ReplaceAll(raw, []byte("#/components/schemas/"), []byte("#/$defs/"))
	c := &promise{routes: chi.NewMux(), ready: map[string]*jsonschema.Resolved{}}
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, err
	}
	for path := range c.Paths {
		c.routes.Handle(path, http.NotFoundHandler())
	}
	return c, nil
})

// conforms checks that an answer to a documented operation is one that the document announces: its
// status, its media type, its shape. The rig asks it about every answer of every test.
func conforms(t testing.TB, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	c, err := thePromise()
	require.NoError(t, err)
	path := c.routes.Find(chi.NewRouteContext(), r.Method, r.URL.Path)
	op, known := c.Paths[path][strings.ToLower(r.Method)]
	if !known {
		return
	}
	where := r.Method + " " + path + " " + strconv.Itoa(w.Code)
	documented, ok := op.Responses[strconv.Itoa(w.Code)]
	require.True(t, ok, "%s is not documented: %s", where, w.Body)
	if name, shared := strings.CutPrefix(documented.Ref, "#/components/responses/"); shared {
		documented = c.Components.Responses[name]
	}
	media := w.Header().Get("Content-Type")
	if !strings.HasSuffix(media, "json") {
		return
	}
	content, ok := documented.Content[media]
	require.True(t, ok, "%s: %s is not documented", where, media)
	var value any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &value))
	require.NoError(t, c.schema(t, where, content.Schema).Validate(value), where)
}

func (c *promise) schema(t testing.TB, where string, raw json.RawMessage) *jsonschema.Resolved {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ready[where] == nil {
		var members map[string]any
		require.NoError(t, json.Unmarshal(raw, &members))
		members["$defs"] = c.Components.Schemas
		whole, err := json.Marshal(members)
		require.NoError(t, err)
		var s jsonschema.Schema
		require.NoError(t, json.Unmarshal(whole, &s))
		c.ready[where], err = s.Resolve(nil)
		require.NoError(t, err)
	}
	return c.ready[where]
}
