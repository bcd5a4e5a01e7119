package e2e_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/offline"
)

// modelServer is the offline model as a paid provider: it keeps a bill, and a test may spoil its answers.
type modelServer struct {
	url string

	mu    sync.Mutex
	posts []charged
	spoil func(n int, w http.ResponseWriter) bool // of the n-th POST, from 1; true: answered
}

// charged is one request that a provider would charge.
type charged struct {
	at         time.Time
	background bool
	body       string
}

func newModelServer(t *testing.T) *modelServer {
	t.Helper()
	model, err := offline.New(offline.Options{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	m := &modelServer{}
	answers := model.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v1/responses" {
			answers.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if m.charge(string(body), w) {
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		answers.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	m.url = server.URL + "/v1"
	return m
}

func (m *modelServer) charge(body string, w http.ResponseWriter) (answered bool) {
	var asked struct {
		Background bool `json:"background"`
	}
	_ = json.Unmarshal([]byte(body), &asked) // nonsense is charged as well
	m.mu.Lock()
	defer m.mu.Unlock()
	m.posts = append(m.posts, charged{at: time.Now(), background: asked.Background, body: body})
	return m.spoil != nil && m.spoil(len(m.posts), w)
}

// bill is what was asked for so far.
func (m *modelServer) bill() []charged {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]charged{}, m.posts...)
}

// paid is the length of the bill.
func (m *modelServer) paid() int { return len(m.bill()) }

func (m *modelServer) onPost(spoil func(n int, w http.ResponseWriter) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spoil = spoil
}

// as makes a stack use this model; more settings go before those.
func (m *modelServer) env(more ...string) []string {
	return append([]string{"OPENAI_BASE_URL=" + m.url, "OPENAI_API_KEY=sk-e2e-not-a-key", "STEWARD_MODEL=" + offline.Model}, more...)
}

// refuse answers with an error of the provider's.
func refuse(w http.ResponseWriter, status int, kind, code string, header ...string) {
	for i := 0; i+1 < len(header); i += 2 {
		w.Header().Set(header[i], header[i+1])
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": "spoilt by the test", "type": kind, "code": code}})
}
