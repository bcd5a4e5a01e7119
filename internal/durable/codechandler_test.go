package durable_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"

	"steward/internal/durable"
)

const uiOrigin = "http://127.0.0.1:8233"

func codecServer(t *testing.T) (*httptest.Server, converter.DataConverter) {
	t.Helper()
	ring, _ := newRing(t)
	protect := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer admin" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	server := httptest.NewServer(durable.CodecHandler(ring, uiOrigin, protect))
	t.Cleanup(server.Close)
	return server, durable.DataConverter(ring)
}

type reply struct {
	status int
	header http.Header
	body   string
}

func request(t *testing.T, method, url, body string, header map[string]string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return reply{res.StatusCode, res.Header, string(text)}
}

// The SDK's own remote codec is the client, as in the Temporal CLI.
func TestCodecHandlerSpeaksTheProtocol(t *testing.T) {
	t.Parallel()
	server, sealing := codecServer(t)
	remote := converter.NewRemotePayloadCodec(converter.RemotePayloadCodecOptions{
		Endpoint: server.URL + "/codec", Client: *server.Client(),
		ModifyRequest: func(r *http.Request) error { r.Header.Set("Authorization", "Bearer admin"); return nil },
	})
	sealed, err := sealing.ToPayload("value")
	require.NoError(t, err)
	var got string
	through := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), remote)
	require.NoError(t, through.FromPayload(sealed, &got))
	require.Equal(t, "value", got)
	encoded, err := through.ToPayload("other")
	require.NoError(t, err)
	require.NoError(t, sealing.FromPayload(encoded, &got))
	require.Equal(t, "other", got)
}

func TestCodecHandlerIsProtected(t *testing.T) {
	t.Parallel()
	server, _ := codecServer(t)
	admin := map[string]string{"Authorization": "Bearer admin", "Origin": uiOrigin}
	require.Equal(t, http.StatusUnauthorized, request(t, "POST", server.URL+"/codec/decode", "{}", nil).status)

	ok := request(t, "POST", server.URL+"/codec/decode", `{"payloads":[]}`, admin)
	require.Equal(t, http.StatusOK, ok.status)
	require.Equal(t, uiOrigin, ok.header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "no-store", ok.header.Get("Cache-Control"))

	preflight := request(t, "OPTIONS", server.URL+"/codec/decode", "", map[string]string{"Origin": uiOrigin})
	require.Equal(t, http.StatusNoContent, preflight.status)
	require.Contains(t, preflight.header.Get("Access-Control-Allow-Headers"), "Authorization")
	for _, origin := range []string{"", "http://evil.test", uiOrigin + ".evil.test", "null", "http://127.0.0.1:82"} {
		res := request(t, "OPTIONS", server.URL+"/codec/decode", "", map[string]string{"Origin": origin})
		require.Empty(t, res.header.Get("Access-Control-Allow-Origin"), origin)
	}

	require.Equal(t, http.StatusNotFound, request(t, "GET", server.URL+"/codec/decode", "", admin).status)
	bad := request(t, "POST", server.URL+"/codec/decode", `{"payloads":[{"metadata":{"encoding":"YmluYXJ5L2Zlcm5ldA=="},"data":"Q0FOQVJZ"}]}`, admin)
	require.Equal(t, http.StatusBadRequest, bad.status)
	require.NotContains(t, bad.body, "CANARY")
	require.Equal(t, http.StatusBadRequest, request(t, "POST", server.URL+"/codec/encode", strings.Repeat(" ", 9<<20), admin).status)
}
