package app

import (
	"net/http"

	"steward/internal/automation"
	"steward/internal/config"
	"steward/internal/fault"
	"steward/internal/llm"
	"steward/internal/llm/price"
)

// OpenAI's own endpoint, and the model of runs there that name none.
const (
	openAI      = "https://api.openai.com/v1"
	openAIModel = "gpt-5-mini"
)

// modelName is the model of runs that name none. Another endpoint than OpenAI's has models of its own, so
// there it must be set.
func modelName(cfg config.Model) (string, error) {
	switch {
	case cfg.Default != "":
		return cfg.Default, nil
	case cfg.BaseURL != "":
		return "", fault.New(fault.Invalid, "settings: STEWARD_MODEL is not set; OPENAI_BASE_URL needs the name of a model there").WithCode("invalid_settings")
	}
	return openAIModel, nil
}

// newModel makes the worker's model client. The offline model is never a silent fallback: without key and
// address there is no model, and the worker does not start.
func newModel(cfg config.Model, prices *price.Table) (*llm.Client, error) {
	if cfg.BaseURL == "" && cfg.APIKey.IsZero() {
		return nil, fault.New(fault.Invalid, "settings: OPENAI_API_KEY is not set, nor OPENAI_BASE_URL for another endpoint").WithCode("invalid_settings")
	}
	return llm.New(modelConfig(cfg, prices))
}

func modelConfig(cfg config.Model, prices *price.Table) llm.Config {
	c := llm.Config{
		BaseURL: cfg.BaseURL, Key: cfg.APIKey, HTTP: &http.Client{Transport: modelTransport()},
		Provider: cfg.Provider, Features: cfg.Features, Prices: prices, Context: cfg.Context,
	}
	switch {
	case cfg.BaseURL == "":
		c.BaseURL = openAI
	case cfg.Default == automation.OfflineModel:
		c.Provider = automation.OfflineProvider
	}
	return c
}

// hostsTools says whether the model's provider calls MCP servers itself. The API asks, which needs no key for the
// model and dials nothing: what settings and address do not say is no.
func hostsTools(cfg config.Model) (bool, error) {
	can, err := llm.Assume(modelConfig(cfg, nil))
	return can.HostedMCP, err
}

// modelTransport has no overall limit: the activity's own timeout ends a slow answer. The operator names
// the endpoint, so a proxy of the environment is used.
func modelTransport() *http.Transport {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return &http.Transport{Proxy: http.ProxyFromEnvironment}
	}
	return t.Clone()
}
