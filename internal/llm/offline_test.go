package llm

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/offline"
)

// TestOfflineModel uses every feature that the development model has, against itself.
func TestOfflineModel(t *testing.T) {
	t.Parallel()
	server, err := offline.New(offline.Options{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	srv := httptest.NewServer(server.Handler())
	t.Cleanup(srv.Close)
	c := client(t, srv.URL+"/v1", func(c *Config) { c.Provider = auto })
	require.Equal(t, Features{Stream: true, InputTokens: true}, c.Features(t.Context()))
	require.Equal(t, offline.Provider, c.Provider())

	req := Request{Model: offline.Model, Input: []json.RawMessage{UserMessage("Say hello.")}}
	res, err := c.Respond(t.Context(), req)
	require.NoError(t, err)
	require.NotEmpty(t, res.Text)

	var chars int
	streamed, err := c.Stream(t.Context(), req, func(p Progress) { chars = p.OutputChars })
	require.NoError(t, err)
	require.Equal(t, res.Text, streamed.Text)
	require.Len(t, []rune(res.Text), chars)

	id, status, err := c.Start(t.Context(), req)
	require.NoError(t, err)
	require.Equal(t, "queued", status)
	later, err := c.Await(t.Context(), id, nil)
	require.NoError(t, err)
	require.Equal(t, res.Text, later.Text)
	require.NoError(t, c.Cancel(t.Context(), id), "it is done already")
	require.Equal(t, CodeGone, requireError(t, c.Cancel(t.Context(), "resp_never")).Code)

	n, err := c.CountTokens(t.Context(), req)
	require.NoError(t, err)
	require.Positive(t, n)
}
