package offline_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"

	"steward/dev/offline"
)

// now is the day on which all tests play.
func now() time.Time { return time.Date(2026, 11, 21, 10, 30, 0, 0, time.UTC) }

// start serves a model and returns its URL.
func start(t testing.TB, clock func() time.Time) string {
	t.Helper()
	server, err := offline.New(offline.Options{Clock: clock, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	web := httptest.NewServer(server.Handler())
	t.Cleanup(web.Close)
	return web.URL
}

// client is the SDK as Steward uses it: no retries of its own.
func client(url string) openai.Client {
	return openai.NewClient(option.WithBaseURL(url+"/v1"), option.WithAPIKey("any"), option.WithMaxRetries(0),
		option.WithHTTPClient(lone))
}

// lone keeps no connection: closing an httptest server closes the idle ones of the default transport, under
// the feet of tests that run beside it.
var lone = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func ask(text string, tools ...responses.ToolUnionParam) responses.ResponseNewParams {
	return responses.ResponseNewParams{
		Model: offline.Model,
		Input: responses.ResponseNewParamsInputUnion{OfString: param.NewOpt(text)},
		Tools: tools,
		Store: param.NewOpt(false),
	}
}

func function(name, description string, properties map[string]any, required ...string) responses.ToolUnionParam {
	return responses.ToolUnionParam{OfFunction: &responses.FunctionToolParam{
		Name:        name,
		Description: openai.String(description),
		Strict:      openai.Bool(false),
		Parameters:  map[string]any{"type": "object", "properties": properties, "required": required},
	}}
}

func str() map[string]any { return map[string]any{"type": "string"} }

func TestAnswerIsACompleteResponse(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	got, err := llm.Responses.New(t.Context(), ask("Hello"))
	require.NoError(t, err)
	require.Equal(t, responses.ResponseStatusCompleted, got.Status)
	require.Equal(t, "[offline rules] Not done: \"Hello\": no offered tool fits.\n"+
		"I am a rule-based development model and can only use tools, but none is offered.", got.OutputText())
	require.Equal(t, offline.Model, got.Model)
	require.Regexp(t, `^resp_[0-9a-f]{40}$`, got.ID)
	require.EqualValues(t, 2, got.Usage.InputTokens, "ceil(5/4)")
	require.EqualValues(t, (len(got.OutputText())+3)/4, got.Usage.OutputTokens)
	require.Equal(t, got.Usage.InputTokens+got.Usage.OutputTokens, got.Usage.TotalTokens)
	require.Equal(t, now().Unix(), int64(got.CreatedAt))
}

func TestModels(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	page, err := llm.Models.List(t.Context())
	require.NoError(t, err)
	require.Len(t, page.Data, 1)
	require.Equal(t, "offline-rules-1", page.Data[0].ID)
	require.Equal(t, "steward-offline", page.Data[0].OwnedBy)
	one, err := llm.Models.Get(t.Context(), offline.Model)
	require.NoError(t, err)
	require.Equal(t, page.Data[0].Created, one.Created)
	_, err = llm.Models.Get(t.Context(), "gpt-6")
	require.Equal(t, http.StatusNotFound, apiError(t, err).StatusCode)
}

func TestInputTokensAreThoseOfTheUsage(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	tool := function("search", "Searches.", map[string]any{"query": str()}, "query")
	count, err := llm.Responses.InputTokens.Count(t.Context(), responses.InputTokenCountParams{
		Model: param.NewOpt(offline.Model),
		Input: responses.InputTokenCountParamsInputUnion{OfString: param.NewOpt("Hello")},
		Tools: []responses.ToolUnionParam{tool},
	})
	require.NoError(t, err)
	got, err := llm.Responses.New(t.Context(), ask("Hello", tool))
	require.NoError(t, err)
	require.Equal(t, got.Usage.InputTokens, count.InputTokens)
	require.Greater(t, count.InputTokens, int64(20))
}

func TestBrokenScenarioIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"unknown key":    "name: x\nnope: 1\n",
		"broken text":    "name: x\nneeds: {a: b}\nsteps: [{as: s, call: a}]\nfinal: '{{ if }}'\n",
		"unknown alias":  "name: x\nsteps: [{as: s, call: a}]\nfinal: x\n",
		"nothing to say": "name: x\n",
	} {
		_, err := offline.New(offline.Options{Scenarios: fstest.MapFS{"a.yaml": {Data: []byte(text)}}})
		require.ErrorContains(t, err, "a.yaml", name)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	server, err := offline.New(offline.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener) }()
	llm := client("http://" + listener.Addr().String())
	_, err = llm.Models.List(t.Context())
	require.NoError(t, err)
	cancel()
	require.NoError(t, <-ended)
	require.Contains(t, log.String(), offline.Banner)
}

// apiError is the SDK's error value.
func apiError(t *testing.T, err error) *openai.Error {
	t.Helper()
	answer, ok := errors.AsType[*openai.Error](err)
	require.True(t, ok, "want an API error, got %v", err)
	return answer
}

// post sends a raw body, for what the SDK cannot send.
func post(t *testing.T, url, path, body string, header http.Header) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, bytes.NewBufferString(body))
	require.NoError(t, err)
	request.Header = header
	response, err := lone.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header, string(text)
}

func TestOwnScenariosReplaceThoseThatShip(t *testing.T) {
	t.Parallel()
	server, err := offline.New(offline.Options{Log: slog.New(slog.DiscardHandler), Scenarios: fstest.MapFS{"mine.yaml": {Data: []byte(`
name: mine
match: {all: ["hello"]}
needs: {search: "*search*"}
steps: [{as: found, call: search, args: {query: hi}}]
final: 'Found {{ .Get "found.n" }}.'
`)}}})
	require.NoError(t, err)
	web := httptest.NewServer(server.Handler())
	t.Cleanup(web.Close)
	turns, final := play(t, client(web.URL), ask("Hello", mailTools()...), tools{
		"mcp_mailbox__search_emails": func(map[string]any) string { return `{"n":3}` },
	})
	require.Equal(t, []turn{{`mcp_mailbox__search_emails {"query":"hi"}`}}, turns)
	require.Equal(t, "[offline rules] Found 3.\nTools used: mcp_mailbox__search_emails (1).", final)
}
