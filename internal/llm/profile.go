package llm

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"steward/internal/automation"
	"steward/internal/fault"
)

// Features are what an endpoint can do beyond answering a request. What is false is not tried.
type Features struct {
	Background  bool // Start, Await, Cancel
	Stream      bool // Stream
	HostedMCP   bool // Request.Servers
	InputTokens bool // CountTokens
	Compact     bool // Compact
}

// profile is what is known of one kind of endpoint.
type profile struct {
	name string
	Features
	stored bool // its background answers can only be fetched when they are stored
}

// profiles is the one table of facts. What nobody has seen or documented is false,
// and STEWARD_MODEL_FEATURES corrects it.
var profiles = []profile{
	// Recorded: background pai-10 to 13, streams pai-07, hosted MCP pai-06 to 09, compaction pai-16, counting
	// pai-24. Background answers are kept about ten minutes without being stored (guides/background).
	{name: "openai", Features: Features{Background: true, Stream: true, HostedMCP: true, InputTokens: true, Compact: true}},
	// Microsoft's page on the Responses API: background, which needs store, streaming, remote MCP servers.
	{name: "azure", Features: Features{Background: true, Stream: true, HostedMCP: true}, stored: true},
	// Recorded stream pai-25; its documentation says stateless only, and store is refused with 400.
	{name: "openrouter", Features: Features{Stream: true}},
	// From 0.13.3; stateless only (docs.ollama.com/api/openai-compatibility).
	{name: "ollama", Features: Features{Stream: true}},
	// Recorded vai-09, vai-10. Remote MCP servers only after an opt-in there (blog of 0.3.29).
	{name: "lmstudio", Features: Features{Stream: true}},
	// Background is answered with 400 unless its store is turned on, which is in memory (its source).
	{name: "vllm", Features: Features{Stream: true}, stored: true},
	// Converts to chat completions (tools/server README); nothing is said of state.
	{name: "llamacpp", Features: Features{Stream: true}},
	// Anything else: every compatible server tried so far can stream; nothing more is assumed.
	{name: compatible, Features: Features{Stream: true}},
	// Our development model; its own tests. It can work in the background too, but its answers come at once and
	// cost nothing: there is nothing to save from a crash.
	{name: automation.OfflineProvider, Features: Features{Stream: true, InputTokens: true}},
}

const (
	auto       = "auto"
	compatible = "compatible"
)

func profileOf(name string) (profile, bool) {
	i := slices.IndexFunc(profiles, func(p profile) bool { return p.name == name })
	if i < 0 {
		return profile{}, false
	}
	return profiles[i], true
}

// hosts are the providers whose address says who they are.
var hosts = []struct{ suffix, profile string }{
	{"api.openai.com", "openai"},
	{".openai.azure.com", "azure"},
	{".services.ai.azure.com", "azure"},
	{"openrouter.ai", "openrouter"},
}

// byHost is the name of the profile that the base URL gives away, "" if it gives none.
func byHost(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	for _, h := range hosts {
		if host == h.suffix || strings.HasPrefix(h.suffix, ".") && strings.HasSuffix(host, h.suffix) {
			return h.profile
		}
	}
	return ""
}

// correct applies words such as "background" and "-stream".
func (f *Features) correct(words []string) error {
	named := map[string]*bool{
		"background": &f.Background, "stream": &f.Stream, "hosted_mcp": &f.HostedMCP,
		"input_tokens": &f.InputTokens, "compact": &f.Compact,
	}
	for _, word := range words {
		name, off := strings.CutPrefix(strings.TrimSpace(word), "-")
		field, known := named[name]
		if !known {
			return setting("STEWARD_MODEL_FEATURES: %q is none of background, stream, hosted_mcp, input_tokens, compact, with - before it to turn it off", word)
		}
		*field = !off
	}
	return nil
}

// setting is a fault of who configured us.
func setting(format string, args ...any) error {
	return fault.New(fault.Invalid, "settings: %s", fmt.Sprintf(format, args...)).WithCode("invalid_settings")
}
