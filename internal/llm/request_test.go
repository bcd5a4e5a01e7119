package llm

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/internal/llm/price"
	"steward/internal/secret"
)

const completed = `{"id":"resp_1","status":"completed","model":"m-1","output":[],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}`

func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestRequestOnTheWire(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, answer(200, completed, "X-Request-Id", "req_9"))
	res, err := c.Respond(t.Context(), Request{
		Model: "m", Instructions: "Be exact.", MaxOutputTokens: 512, RequestID: "run-1/step-2/1",
		CacheKey: "cache", SafetyID: "hash", Metadata: map[string]string{"run_id": "1"},
		Input: []json.RawMessage{
			UserMessage(`say "hi" <b>`), FunctionOutput("call_1", "line\n\x00"),
			json.RawMessage(`{"type":"hologram","n":9007199254740993}`),
		},
		Tools: []Tool{
			{Name: "a", Description: "d", Parameters: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer","maximum":9007199254740993}}}`)},
			{Name: "b"},
		},
	})
	require.NoError(t, err)
	require.Equal(t, "req_9", res.RequestID)
	got := <-seen
	require.Equal(t, "Bearer "+testKey, got.Header.Get("Authorization"))
	require.Equal(t, "run-1/step-2/1", got.Header.Get("X-Client-Request-Id"))
	require.Equal(t, "0", got.Header.Get("X-Stainless-Retry-Count"))
	require.JSONEq(t, `{
		"model":"m","instructions":"Be exact.","max_output_tokens":512,"store":false,
		"include":["reasoning.encrypted_content"],"prompt_cache_key":"cache","safety_identifier":"hash",
		"metadata":{"run_id":"1"},
		"input":[
			{"type":"message","role":"user","content":"say \"hi\" <b>"},
			{"type":"function_call_output","call_id":"call_1","output":"line\n\u0000"},
			{"type":"hologram","n":9007199254740993}],
		"tools":[
			{"type":"function","name":"a","description":"d","strict":false,
			 "parameters":{"type":"object","properties":{"n":{"type":"integer","maximum":9007199254740993}}}},
			{"type":"function","name":"b","strict":false,"parameters":{"type":"object","properties":{}}}]}`, string(got.Body))
	// JSONEq compares numbers as floats: the digits themselves must be there, in the item and in the schema.
	require.Contains(t, string(got.Body), `"n":9007199254740993`)
	require.Contains(t, string(got.Body), `"maximum":9007199254740993`)
}

func TestNoKeyNoHeader(t *testing.T) {
	t.Parallel()
	var got http.Header
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		got = r.Header
		return nil, http.ErrServerClosed
	})
	c, err := New(Config{BaseURL: "http://localhost/v1", HTTP: &http.Client{Transport: transport}, Prices: new(price.Table)})
	require.NoError(t, err)
	_, err = c.Respond(t.Context(), Request{Model: "m"})
	require.Error(t, err)
	require.NotContains(t, got, "Authorization")
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestEnvironmentIsNotRead is not parallel because it sets variables.
func TestEnvironmentIsNotRead(t *testing.T) { //nolint:paralleltest // see above
	for name, value := range map[string]string{
		"OPENAI_BASE_URL": "http://192.0.2.1/", "OPENAI_API_KEY": "sk-other", "OPENAI_ADMIN_KEY": "sk-admin",
		"OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "proj-1", "OPENAI_CUSTOM_HEADERS": "X-Leak: 1",
	} {
		t.Setenv(name, value)
	}
	c, seen := serve(t, answer(200, completed))
	_, err := c.Respond(t.Context(), Request{Model: "m"})
	require.NoError(t, err)
	got := (<-seen).Header
	require.Equal(t, "Bearer "+testKey, got.Get("Authorization"))
	for _, h := range []string{"X-Leak", "OpenAI-Organization", "OpenAI-Project"} {
		require.Empty(t, got.Get(h), h)
	}
}

func TestBadRequestIsNotSent(t *testing.T) {
	t.Parallel()
	for name, req := range map[string]Request{
		"no model":       {},
		"broken item":    {Model: "m", Input: []json.RawMessage{json.RawMessage(`{"a":`)}},
		"item no object": {Model: "m", Input: []json.RawMessage{json.RawMessage(`"text"`)}},
		"null item":      {Model: "m", Input: []json.RawMessage{json.RawMessage(`null`)}},
		"schema no object": {
			Model: "m", Tools: []Tool{{Name: "t", Parameters: json.RawMessage(`[]`)}},
		},
		"output without name":      {Model: "m", Output: &Output{Schema: json.RawMessage(`{}`)}},
		"output name with a space": {Model: "m", Output: &Output{Name: "an answer", Schema: json.RawMessage(`{}`)}},
		"output without schema":    {Model: "m", Output: &Output{Name: "answer"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, seen := serve(t, answer(200, completed))
			_, err := c.Respond(t.Context(), req)
			_, streamErr := c.Stream(t.Context(), req, nil)
			_, _, startErr := c.Start(t.Context(), req)
			for _, err := range []error{err, streamErr, startErr} {
				e := requireError(t, err)
				require.Equal(t, CodeBadRequest, e.Code)
				require.False(t, e.Retryable)
			}
			require.Empty(t, seen)
		})
	}
}

func TestNewChecksConfig(t *testing.T) {
	t.Parallel()
	good := Config{BaseURL: "https://api.example.com/v1", HTTP: http.DefaultClient, Prices: new(price.Table)}
	_, err := New(good)
	require.NoError(t, err)
	for name, change := range map[string]func(*Config){
		"empty (docker-compose default)": func(c *Config) { c.BaseURL = "" },
		"scheme":                         func(c *Config) { c.BaseURL = "ftp://x/" },
		"no host":                        func(c *Config) { c.BaseURL = "https:///v1" },
		"password":                       func(c *Config) { c.BaseURL = "https://u:" + testKey + "@x/" },
		"query":                          func(c *Config) { c.BaseURL = "https://x/?k=" + testKey },
		"control character":              func(c *Config) { c.BaseURL = "https://x/\x7f" + testKey },
		"no HTTP client":                 func(c *Config) { c.HTTP = nil },
		"no prices":                      func(c *Config) { c.Prices = nil },
		"unknown provider":               func(c *Config) { c.Provider = "skynet" },
		"unknown feature":                func(c *Config) { c.Features = []string{"magic"} },
		"negative window":                func(c *Config) { c.Context = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := good
			cfg.Key = secret.New(testKey)
			change(&cfg)
			_, err := New(cfg)
			require.Error(t, err)
			require.NotContains(t, err.Error(), testKey)
		})
	}
}

func TestFunctionName(t *testing.T) {
	t.Parallel()
	taken := map[string]bool{}
	long := "a_very_long_tool_name_that_goes_on_and_on_until_it_no_longer_fits"
	var got []string
	for _, in := range [][2]string{
		{"mail", "search"}, {"mail", "search"}, {"ma.il", "search"}, {"ma/il", "search"}, {"mail", long}, {"mail", long + "x"}, {"", "ü"},
	} {
		name := FunctionName(in[0], in[1], taken)
		require.Regexp(t, `^[A-Za-z0-9_-]{1,64}$`, name)
		require.True(t, taken[name])
		got = append(got, name)
	}
	require.Len(t, taken, len(got), "names are unique")
	require.Empty(t, cmp.Diff([]string{
		"mcp_mail__search", "mcp_mail__search_e02c6ba0", "mcp_ma_il__search", "mcp_ma_il__search_35f36ffe",
		"mcp_mail__a_very_long_tool_name_that_goes_on_and_on_unt_caf59e91",
		"mcp_mail__a_very_long_tool_name_that_goes_on_and_on_unt_4baf0931", "mcp____",
	}, got))
}

func TestEstimateTokens(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int]int64{0: 0, 1: 1, 3: 1, 4: 2, 7: 2, 8: 3, 3500: 1000} {
		require.Equal(t, want, EstimateTokens(bytes), bytes)
	}
}
