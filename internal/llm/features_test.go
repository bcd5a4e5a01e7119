package llm

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/secret"
)

func TestProfileByHost(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"https://api.openai.com/v1":                   "openai",
		"https://API.OpenAI.com:443/v1":               "openai",
		"https://res.openai.azure.com/openai/v1/":     "azure",
		"https://res.services.ai.azure.com/openai/v1": "azure",
		"https://openrouter.ai/api/v1":                "openrouter",
		"https://api.openai.com.evil.example/v1":      "",
		"https://evil-openrouter.ai/v1":               "",
		"https://eu.api.openai.com.proxy.example/v1":  "",
		"http://127.0.0.1:11434/v1":                   "",
	} {
		require.Equal(t, want, byHost(base), base)
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	for want, body := range map[string]string{
		"vllm":                     `{"data":[{"id":"Qwen/Qwen3","owned_by":"vllm"}]}`,
		"llamacpp":                 `{"object":"list","data":[{"id":"m.gguf","owned_by":"llamacpp"}]}`,
		"ollama":                   `{"data":[{"id":"llama3:8b","owned_by":"library"}]}`,
		"lmstudio":                 `{"data":[{"id":"text-embedding","owned_by":""},{"id":"q","owned_by":"organization_owner"}]}`,
		automation.OfflineProvider: `{"data":[{"id":"offline-rules-1","owned_by":"steward-offline"}]}`,
		compatible:                 `{"data":[{"id":"gpt-5-mini","owned_by":"openai"}]}`,
	} {
		c, seen := serve(t, answer(200, body), func(c *Config) { c.Provider = auto })
		require.Equal(t, compatible, c.Provider(), "nobody has asked yet")
		p, _ := profileOf(want)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() { require.Equal(t, p.Features, c.Features(t.Context())) })
		}
		group.Wait()
		require.Equal(t, want, c.Provider())
		require.Len(t, seen, 1, "one question")
		got := <-seen
		require.Equal(t, "GET /v1/models", got.Method+" "+got.Path)
		require.Equal(t, "Bearer "+testKey, got.Header.Get("Authorization"))
	}
}

func TestProbeWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	offline := answer(200, `{"data":[{"id":"offline-rules-1"}]}`)
	for name, row := range map[string]struct {
		first http.HandlerFunc
		asked int // after two questions
	}{
		"no such list":  {answer(404, `{}`), 1},
		"key refused":   {answer(401, `{}`), 1},
		"HTML":          {answer(200, `<html>`), 1},
		"sends us away": {answer(302, ``, "Location", "https://example.com"), 1},
		"unwell":        {answer(503, ``), 2},
		"no connection": {abort, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, seen := serve(t, script(row.first, offline), func(c *Config) { c.Provider = "" })
			require.Equal(t, Features{Stream: true}, c.Features(t.Context()))
			require.Equal(t, row.asked == 2, c.Features(t.Context()).InputTokens)
			require.Len(t, seen, row.asked)
		})
	}
}

func TestProbeIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	defer close(hang)
	url, _ := provider(t, func(http.ResponseWriter, *http.Request) { <-hang })
	c := client(t, url, func(c *Config) { c.Provider = auto; c.HTTP.Timeout = 20 * time.Millisecond; c.Key = secret.String{} })
	require.Equal(t, Features{Stream: true}, c.Features(t.Context()))
}

func TestCorrections(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, answer(200, completed), func(c *Config) {
		c.Provider, c.Features = "vllm", []string{"background", " -stream", "compact", "-compact", "input_tokens", "hosted_mcp"}
	})
	require.Equal(t, Features{Background: true, HostedMCP: true, InputTokens: true}, c.Features(t.Context()))
	require.Empty(t, seen, "who is named is not asked")
	for _, word := range []string{"magic", "--stream", "Stream", "", "background stream"} {
		var f Features
		require.Equal(t, "invalid_settings", fault.CodeOf(f.correct([]string{word})), "%q", word)
	}
}

func TestProfilesAreNamedOnce(t *testing.T) {
	t.Parallel()
	names := map[string]bool{auto: true}
	for _, p := range profiles {
		require.False(t, names[p.name], p.name)
		names[p.name] = true
	}
	for _, h := range hosts {
		require.True(t, names[h.profile], h.profile)
	}
}

// FuzzOwner holds the reader of lists of models to: no panic, and always a profile.
func FuzzOwner(f *testing.F) {
	f.Add([]byte(`{"data":[{"id":"llama3:8b","owned_by":"library"}]}`))
	f.Add([]byte(`{"data":[null,{"id":1}]}`))
	f.Add([]byte(`<html>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, known := profileOf(owner(body))
		require.True(t, known)
	})
}
