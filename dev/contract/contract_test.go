package contract_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/contract"
)

func TestSpectralFindsNothing(t *testing.T) {
	t.Parallel()
	require.NoError(t, contract.Spectral(t, contract.Document(t)))
}

func TestSpectralFinds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "openapi.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {}}`), 0o600))
	require.ErrorContains(t, contract.Spectral(t, path), "info-contact")
}

// health is a server that has its own idea of GET /health.
func health(t *testing.T, answer string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestPrismJudgesAnswers(t *testing.T) {
	t.Parallel()
	document := filepath.Join(t.TempDir(), "openapi.json")
	require.NoError(t, os.WriteFile(document, []byte(`{
		"openapi": "3.1.0", "info": {"title": "x", "version": "1"},
		"paths": {"/health": {"get": {"responses": {"200": {"description": "alive", "content": {"application/json": {"schema": {
			"type": "object", "required": ["status"], "properties": {"status": {"const": "ok"}}
		}}}}}}}}
	}`), 0o600))
	for answer, want := range map[string]int{
		`{"status": "ok"}`:   http.StatusOK,
		`{"status": "fine"}`: http.StatusInternalServerError,
		`{}`:                 http.StatusInternalServerError,
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			url := contract.Prism(t, document, health(t, answer))
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/health", nil)
			require.NoError(t, err)
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			defer func() { _ = res.Body.Close() }()
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.Equal(t, want, res.StatusCode, "%s", body)
		})
	}
}
