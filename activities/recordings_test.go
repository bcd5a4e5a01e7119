package activities

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"steward/internal/automation"
)

// taped is one exchange of a recording of real traffic (internal/llm/testdata/recordings).
type taped struct {
	Request *struct {
		Method, Path string
		Body         struct{ Background, Stream bool }
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
		Text    string
		SSE     string
	}
}

func (e taped) method() string {
	if e.Request == nil {
		return http.MethodPost
	}
	return cmp.Or(e.Request.Method, http.MethodPost)
}

// turn says that the exchange is a request for a turn, or a look at one: not a compaction or a count.
func (e taped) turn() bool {
	return e.Request == nil || !strings.HasSuffix(e.Request.Path, "/compact") && !strings.HasSuffix(e.Request.Path, "/input_tokens")
}

// tape answers requests with the exchanges in their order, those of the other method passed over.
type tape struct {
	mu   sync.Mutex
	left []taped
}

func (p *tape) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.left) > 0 && p.left[0].method() != r.Method {
		p.left = p.left[1:]
	}
	if len(p.left) == 0 {
		http.Error(w, "the recording is at its end", http.StatusTeapot)
		return
	}
	answer := p.left[0].Response
	p.left = p.left[1:]
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.Status)
	_, _ = io.WriteString(w, cmp.Or(answer.Text+answer.SSE, string(answer.Body)))
}

// features lets the client ask as the recorded one did.
func (p *tape) features() string {
	features := []string{"-stream"}
	first := p.left[0]
	if first.Response.SSE != "" {
		features = []string{"stream"}
	}
	if first.Request != nil && first.Request.Body.Background && !first.Request.Body.Stream {
		features = append(features, "background")
	}
	return strings.Join(features, ",")
}

// Every recorded conversation goes through the activity, step by step, until it has an end: a final answer, a
// failure with a code of its own, or the recording's own end. The tools in them were never offered to these runs.
func TestRecordingsGoThroughTheActivity(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../internal/llm/testdata/recordings/*.json")
	require.NoError(t, err)
	require.Greater(t, len(files), 50)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			var recording struct{ Exchanges []taped }
			require.NoError(t, json.Unmarshal(raw, &recording))
			p := &tape{}
			for _, e := range recording.Exchanges {
				if e.turn() {
					p.left = append(p.left, e)
				}
			}
			if len(p.left) == 0 {
				return // a count of tokens and nothing else: the client's own tests replay it
			}
			server := httptest.NewServer(p)
			t.Cleanup(server.Close)
			g := newRig(t, newProvider(t), options{baseURL: server.URL + "/v1", features: p.features()})
			for step := 1; len(p.left) > 0; step++ {
				first := p.left[0].Response
				out, err := g.await(step, at{"5", int32(step)})
				if err != nil {
					failed := new(temporal.ApplicationError)
					require.ErrorAs(t, err, &failed)
					require.True(t, strings.HasPrefix(failed.Type(), "LLM_"), failed.Type())
					require.NotContains(t, err.Error(), "sk-canary")
					require.Equal(t, "failed", g.modelCalls()[len(g.modelCalls())-1].Status)
					return
				}
				require.Less(t, first.Status, 300, "an error was taken for a turn")
				if out.Final.State != "" {
					require.Contains(t, []automation.State{automation.Success, automation.Failed}, out.Final.State)
					require.Equal(t, out.Final.State == automation.Failed, out.Final.Code != "", "%+v", out.Final)
					return
				}
				for _, c := range out.Calls {
					require.True(t, c.Settled, "%s was never offered", c.Tool)
				}
			}
		})
	}
}
