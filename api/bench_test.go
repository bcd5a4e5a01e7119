package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/auth"
)

// BenchmarkMCPAnswers measures 64 clients that make 500 calls each, every answer of which is checked (T-38).
func BenchmarkMCPAnswers(b *testing.B) {
	for b.Loop() {
		neverMixed(b, 500)
	}
}

// BenchmarkStartRun measures an accepted run end to end but for the socket: the goal is a p50 of 10 ms.
func BenchmarkStartRun(b *testing.B) {
	r := newRig(b)
	token := r.token("alice", auth.User)
	for b.Loop() {
		req := httptest.NewRequestWithContext(b.Context(), http.MethodPost, publicURL+"/automation/run", strings.NewReader(`{"instructions":"say hello"}`))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, req)
		require.Equal(b, http.StatusAccepted, w.Code)
	}
}
