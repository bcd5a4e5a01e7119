package activities

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// provider is a small Responses API. It charges every POST of a turn, also those whose answer is lost.
type provider struct {
	*httptest.Server

	mu        sync.Mutex
	posts     []body            // what was charged
	turns     []answer          // what POST and GET answer, by the number of the POST; the last one again and again
	gone      map[string]bool   // responses that are no longer kept
	cancelled []string          // ids
	compacted []json.RawMessage // what /compact answers with; nil: it does not know how
	counted   int64             // what /input_tokens answers; 0: it does not know how
	onPost    func(n int)       // before the answer to a POST leaves
	onGet     func()            // before the answer to a GET does
}

// body is the part of a request that these tests look at.
type body struct {
	Instructions string
	Input        []item
	Max          int64 `json:"max_output_tokens"`
	Background   bool
	Stream       bool
	Text         struct{ Format struct{ Type, Name string } }
	Tools        []struct{ Name string }
	header       http.Header
}

type item struct {
	Type, Role, Output string
	Content            any
	CallID             string `json:"call_id"`
}

// last is the text of the last input item.
func (b body) last() string { return fmt.Sprint(b.Input[len(b.Input)-1].Content) }

// answer is how one request ends.
type answer struct {
	status int // of HTTP, 200 when 0
	header map[string]string
	fields map[string]any
	cut    bool // the connection breaks in the middle of the body
}

func text(words string) answer {
	return answer{fields: map[string]any{"status": "completed", "output": []any{map[string]any{
		"type": "message", "role": "assistant", "content": []any{map[string]any{"type": "output_text", "text": words}},
	}}}}
}

func calls(names ...string) answer {
	var out []any
	for i, name := range names {
		out = append(out, map[string]any{"type": "function_call", "call_id": "c" + strconv.Itoa(i), "name": name, "arguments": `{}`})
	}
	return answer{fields: map[string]any{"status": "completed", "output": out}}
}

func problem(status int, kind, code string, header ...string) answer {
	a := answer{status: status, header: map[string]string{}, fields: map[string]any{"error": map[string]any{"type": kind, "code": code, "message": "x"}}}
	for i := 0; i+1 < len(header); i += 2 {
		a.header[header[i]] = header[i+1]
	}
	return a
}

func newProvider(t *testing.T, turns ...answer) *provider {
	t.Helper()
	p := &provider{turns: turns, gone: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/responses", p.post)
	mux.HandleFunc("GET /v1/responses/{id}", p.get)
	mux.HandleFunc("POST /v1/responses/{id}/cancel", p.cancel)
	mux.HandleFunc("POST /v1/responses/compact", p.compact)
	mux.HandleFunc("POST /v1/responses/input_tokens", p.count)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) turn(n int) answer { return p.turns[min(n, len(p.turns))-1] }

func (p *provider) post(w http.ResponseWriter, r *http.Request) {
	b := body{header: r.Header}
	if json.NewDecoder(r.Body).Decode(&b) != nil {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	p.mu.Lock()
	p.posts = append(p.posts, b)
	n, hook := len(p.posts), p.onPost
	a := p.turn(n)
	p.mu.Unlock()
	if hook != nil {
		hook(n)
	}
	id := fmt.Sprintf("resp_%d", n)
	if b.Background && a.status == 0 {
		a.fields = map[string]any{"status": "queued", "background": true, "output": []any{}}
	}
	a.write(w, id, b.Stream)
}

func (p *provider) get(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := r.PathValue("id")
	n, err := strconv.Atoi(strings.TrimPrefix(id, "resp_"))
	if err != nil || n < 1 || n > len(p.posts) || p.gone[id] {
		problem(http.StatusNotFound, "invalid_request_error", "not_found").write(w, id, false)
		return
	}
	if p.onGet != nil {
		p.onGet()
	}
	p.turn(n).write(w, id, false)
}

func (p *provider) cancel(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cancelled = append(p.cancelled, r.PathValue("id"))
	answer{fields: map[string]any{"status": "cancelled", "background": true}}.write(w, r.PathValue("id"), false)
}

func (p *provider) compact(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.compacted == nil {
		problem(http.StatusNotFound, "invalid_request_error", "unknown_url").write(w, "", false)
		return
	}
	answer{fields: map[string]any{"output": p.compacted, "usage": usage(500, 50)}}.write(w, "resp_compact", false)
}

func (p *provider) count(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.counted == 0 {
		problem(http.StatusNotFound, "invalid_request_error", "unknown_url").write(w, "", false)
		return
	}
	answer{fields: map[string]any{"input_tokens": p.counted}}.write(w, "", false)
}

func usage(in, out int) map[string]any {
	return map[string]any{"input_tokens": in, "output_tokens": out, "total_tokens": in + out}
}

func (a answer) write(w http.ResponseWriter, id string, stream bool) {
	fields := map[string]any{"id": id, "object": "response", "model": "gpt-5-mini", "usage": usage(1000, 100)}
	for k, v := range a.fields {
		fields[k] = v
	}
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	doc, _ := json.Marshal(fields)
	switch {
	case a.status != 0:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
	case stream && a.cut:
		w.Header().Set("Content-Type", "text/event-stream")
		doc = []byte("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"ha\"}\n\n")
	case stream:
		w.Header().Set("Content-Type", "text/event-stream")
		doc = fmt.Appendf(nil, "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"twelve chars\"}\n\n"+
			"event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":%s}\n\n", doc)
	default:
		w.Header().Set("Content-Type", "application/json")
	}
	if a.cut && !stream {
		w.Header().Set("Content-Length", strconv.Itoa(len(doc)))
		doc = doc[:len(doc)/2]
	}
	_, _ = w.Write(doc)
}

// charged are the requests that a provider would put on its bill.
func (p *provider) charged() []body {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]body{}, p.posts...)
}

func (p *provider) then(turns ...answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turns = turns
}

func TestProviderItself(t *testing.T) {
	t.Parallel()
	p := newProvider(t, text("hello"))
	res, err := http.Post(p.URL+"/v1/responses", "application/json", strings.NewReader(`{"background":true}`)) //nolint:noctx // a test
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Len(t, p.charged(), 1)
}
