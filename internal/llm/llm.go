// Package llm speaks the OpenAI Responses API to whatever endpoint is configured: OpenAI itself, Azure,
// a compatible server, or the offline development model. It sends one request and says precisely what
// became of it; retrying, waiting and paying belong to the caller (Temporal is the only retrier).
package llm

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"

	"steward/internal/secret"
)

// Config says where the model is. Everything is explicit: no environment variable is read here.
type Config struct {
	BaseURL  string        // such as https://api.openai.com/v1; plain http is for loopback and private servers
	Key      secret.String // sent as bearer token; zero for servers that want none
	HTTP     *http.Client  // its transport and timeout are used, its redirect policy is not
	Provider string        // shown wherever an answer is, such as "openai" or "offline-rules"
}

// Client sends requests to one provider. It is safe for concurrent use.
type Client struct {
	responses responses.ResponseService
	key       secret.String
	provider  string
}

// New checks the configuration; it does not connect.
func New(cfg Config) (*Client, error) {
	if cfg.HTTP == nil {
		return nil, errors.New("model client: no HTTP client")
	}
	if cfg.Provider == "" {
		return nil, errors.New("model client: no provider name")
	}
	if err := checkBaseURL(cfg.BaseURL); err != nil {
		return nil, err
	}
	opts := []option.RequestOption{
		option.WithBaseURL(cfg.BaseURL),
		option.WithHTTPClient(bounded(cfg.HTTP)),
		option.WithMaxRetries(0),
	}
	if !cfg.Key.IsZero() {
		opts = append(opts, option.WithAPIKey(cfg.Key.Reveal()))
	}
	// The service alone, not openai.NewClient: that one also reads OPENAI_BASE_URL, OPENAI_CUSTOM_HEADERS,
	// OPENAI_ORG_ID and others from the environment, so a header nobody configured could leave with a request.
	return &Client{responses: responses.NewResponseService(opts...), key: cfg.Key, provider: cfg.Provider}, nil
}

// Provider is the configured name of the provider.
func (c *Client) Provider() string { return c.provider }

func checkBaseURL(base string) error {
	u, err := url.Parse(base)
	if err != nil {
		return errors.New("model base URL is not a URL") // the parser's error repeats the text
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("model base URL must start with https:// or http://, not %q", u.Scheme)
	case u.Host == "":
		return errors.New("model base URL has no host")
	case u.User != nil:
		return errors.New("model base URL must not hold a user name or password")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("model base URL must not have a query or fragment")
	}
	return nil
}
