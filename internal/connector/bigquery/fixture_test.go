package bigquery_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector"
	"steward/internal/connector/bigquery"
)

// documented answers as BigQuery's reference has it. The real engine is dev/counterpart/bigquery's, in make
// test-bigquery.
type documented struct {
	t       *testing.T
	session *connector.Session

	mu      sync.Mutex
	answers map[string]answer // by method and path below /bigquery/v2/projects/
	asked   []asked
	jobs    map[string]bool
}

type answer struct {
	status int // 0: 200
	body   string
}

// asked is a request: its path, query and decoded body.
type asked struct {
	key, query string
	body       map[string]any
}

func newDocumented(t *testing.T, answers map[string]answer) *documented {
	t.Helper()
	d := &documented{t: t, answers: answers, jobs: map[string]bool{}}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	d.session = &connector.Session{HTTP: &http.Client{Transport: http.DefaultTransport}, BaseURL: server.URL, Granted: bigquery.Scopes(), Version: 3}
	return d
}

// ServeHTTP keeps ids of jobs, as BigQuery does.
func (d *documented) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := asked{key: r.Method + " " + strings.TrimPrefix(r.URL.Path, "/bigquery/v2/projects/"), query: r.URL.RawQuery}
	if doc, err := io.ReadAll(r.Body); err == nil && len(doc) > 0 {
		_ = json.Unmarshal(doc, &a.body) // a test looks at what was asked
	}
	d.asked = append(d.asked, a)
	key := a.key
	if dry, _ := path(a.body, "configuration", "dryRun").(bool); dry {
		key += " dry"
	}
	out, known := d.answers[key]
	if id, _ := path(a.body, "jobReference", "jobId").(string); id != "" {
		if d.jobs[id] {
			out = answer{409, refusal(409, "duplicate", "Already Exists: Job "+id)}
		}
		d.jobs[id] = true
	}
	if !known {
		out = answer{404, refusal(404, "notFound", "Not found: "+key)}
	}
	w.Header().Set("Content-Type", "application/json")
	if out.status != 0 {
		w.WriteHeader(out.status)
	}
	_, _ = io.WriteString(w, out.body) // who has gone away needs no answer
}

// path goes down into decoded JSON.
func path(value any, names ...string) any {
	for _, name := range names {
		m, _ := value.(map[string]any)
		value = m[name]
	}
	return value
}

func refusal(status int, reason, message string) string {
	doc, err := json.Marshal(map[string]any{"error": map[string]any{
		"code": status, "message": message, "errors": []any{map[string]string{"reason": reason, "message": message, "domain": "global"}},
	}})
	if err != nil {
		panic(err) // text and a number have a form in JSON
	}
	return string(doc)
}

// call makes one call under an id and decodes its result into out.
func (d *documented) call(id, tool, arguments string, out any) error {
	d.t.Helper()
	found, ok := bigquery.New().Find(tool)
	require.True(d.t, ok, tool)
	result, err := found.Call(d.t.Context(), d.session, connector.Call{ID: id, Arguments: json.RawMessage(arguments)})
	if err != nil {
		return err
	}
	require.NoError(d.t, json.Unmarshal(result.Structured, out))
	return nil
}

func failure(t *testing.T, err error) *connector.Error {
	t.Helper()
	e, ok := errors.AsType[*connector.Error](err)
	require.True(t, ok, "%v", err)
	require.False(t, e.Ran, "nothing is changed")
	return e
}
