package llm

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/llm/price"
)

func wholeRequest() Request {
	return Request{
		Model: "m", Instructions: "Be exact.", Input: []json.RawMessage{UserMessage("hi")}, MaxOutputTokens: 9, CacheKey: "cache",
		Tools: []Tool{{Name: "a"}}, Servers: []HostedServer{mailServer()}, Metadata: map[string]string{"run_id": "1"},
		Output: &Output{Name: "answer", Schema: json.RawMessage(`{"type":"object","properties":{"n":{"maximum":9007199254740993}}}`), Strict: true},
	}
}

func TestCountTokens(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, answer(200, `{"object":"response.input_tokens","input_tokens":51}`))
	n, err := c.CountTokens(t.Context(), wholeRequest())
	require.NoError(t, err)
	require.Equal(t, int64(51), n)
	got := <-seen
	require.Equal(t, "POST /v1/responses/input_tokens", got.Method+" "+got.Path)
	require.JSONEq(t, `{"model":"m","instructions":"Be exact.","input":[{"type":"message","role":"user","content":"hi"}],
		"tools":[{"type":"function","name":"a","strict":false,"parameters":{"type":"object","properties":{}}}],
		"text":{"format":{"type":"json_schema","name":"answer","strict":true,"schema":{"type":"object","properties":{"n":{"maximum":9007199254740993}}}}}}`, string(got.Body))
	require.Contains(t, string(got.Body), `9007199254740993`)

	for _, body := range []string{`{}`, `{"input_tokens":-1}`, `{"input_tokens":"51"}`, `<html>`} {
		c, _ := serve(t, answer(200, body))
		_, err := c.CountTokens(t.Context(), Request{Model: "m"})
		require.Equal(t, CodeBadResponse, requireError(t, err).Code, body)
	}
}

func TestCompact(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, answer(200, `{"object":"response.compaction","output":[{"type":"compaction", "encrypted_content":"x"}],"usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}}`))
	items, u, err := c.Compact(t.Context(), wholeRequest())
	require.NoError(t, err)
	require.Equal(t, raws(`{"type":"compaction", "encrypted_content":"x"}`), items)
	require.Equal(t, automation.Usage{InputTokens: 3, OutputTokens: 4, TotalTokens: 7, Known: true}, u)
	got := <-seen
	require.Equal(t, "POST /v1/responses/compact", got.Method+" "+got.Path)
	require.JSONEq(t, `{"model":"m","instructions":"Be exact.","input":[{"type":"message","role":"user","content":"hi"}],"prompt_cache_key":"cache"}`, string(got.Body))

	for _, body := range []string{`{}`, `{"output":[]}`, `{"output":[1]}`, `{"output":[null]}`, `[]`} {
		c, _ := serve(t, answer(200, body))
		_, _, err := c.Compact(t.Context(), Request{Model: "m"})
		require.Equal(t, CodeBadResponse, requireError(t, err).Code, body)
	}
}

func TestOutputOnTheWire(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, answer(200, completed))
	_, err := c.Respond(t.Context(), wholeRequest())
	require.NoError(t, err)
	var body struct{ Text json.RawMessage }
	require.NoError(t, json.Unmarshal((<-seen).Body, &body))
	require.JSONEq(t, `{"format":{"name":"answer","schema":{"properties":{"n":{"maximum":9007199254740993}},"type":"object"},"strict":true,"type":"json_schema"}}`, string(body.Text))
	require.Contains(t, string(body.Text), `9007199254740993`)
}

func TestWindow(t *testing.T) {
	t.Parallel()
	prices, err := price.Load("")
	require.NoError(t, err)
	c := client(t, "https://example.com/v1", func(c *Config) { c.Prices = prices })
	require.Equal(t, int64(400_000), c.Window("gpt-5-mini"))
	require.Equal(t, int64(defaultWindow), c.Window("brand-new"))
	c = client(t, "https://example.com/v1", func(c *Config) { c.Prices, c.Context = prices, 9000 })
	require.Equal(t, int64(9000), c.Window("gpt-5-mini"))
}
