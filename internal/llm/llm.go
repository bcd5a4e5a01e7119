// Package llm speaks the OpenAI Responses API to whatever endpoint is configured: OpenAI itself, Azure,
// a compatible server, or the offline development model. It sends one request and says precisely what
// became of it; retrying, waiting and paying belong to the caller (Temporal is the only retrier).
package llm

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"

	"steward/internal/llm/price"
	"steward/internal/secret"
)

// Config says where the model is. Everything is explicit: no environment variable is read here.
type Config struct {
	BaseURL  string        // such as https://api.openai.com/v1; plain http is for loopback and private servers
	Key      secret.String // sent as bearer token; zero for servers that want none
	HTTP     *http.Client  // its transport and timeout are used, its redirect policy is not
	Provider string        // the name of a profile, such as "openai"; empty or "auto" finds it out, see Features
	Features []string      // corrections of the profile, such as "background" and "-stream"
	Prices   *price.Table  // for Window
	Context  int64         // tokens that fit into the model; 0 is what Prices say, else 128000
}

// Client sends requests to one provider. It is safe for concurrent use.
type Client struct {
	responses responses.ResponseService
	http      *http.Client
	base      string
	key       secret.String
	id        identity
	prices    *price.Table
	context   int64
	pace      pace
}

// check looks at what can be wrong without anything else at hand.
func (cfg Config) check() error {
	if cfg.Context < 0 {
		return setting("STEWARD_MODEL_CONTEXT is negative")
	}
	return checkBaseURL(cfg.BaseURL)
}

// New checks the configuration; it does not connect. An unknown provider or feature is a fault.
func New(cfg Config) (*Client, error) {
	if cfg.HTTP == nil || cfg.Prices == nil {
		return nil, errors.New("model client: HTTP client and prices are required")
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Client{
		http: bounded(cfg.HTTP), base: cfg.BaseURL, key: cfg.Key, prices: cfg.Prices, context: cfg.Context,
		pace: pace{first: time.Second, slowest: 5 * time.Second, patience: 2 * time.Minute},
	}
	if err := c.id.configure(cfg); err != nil {
		return nil, err
	}
	opts := []option.RequestOption{
		option.WithBaseURL(cfg.BaseURL),
		option.WithHTTPClient(c.http),
		option.WithMaxRetries(0),
	}
	if !cfg.Key.IsZero() {
		opts = append(opts, option.WithAPIKey(cfg.Key.Reveal()))
	}
	// The service alone, not openai.NewClient: that one also reads OPENAI_BASE_URL, OPENAI_CUSTOM_HEADERS,
	// OPENAI_ORG_ID and others from the environment, so a header nobody configured could leave with a request.
	c.responses = responses.NewResponseService(opts...)
	return c, nil
}

// defaultWindow is what the models of the last years have at least.
const defaultWindow = 128_000

// Window is how many tokens fit into a model, input and output together: what the settings say, else the
// price table, else 128000.
func (c *Client) Window(model string) int64 {
	if c.context > 0 {
		return c.context
	}
	if tokens, known := c.prices.Window(model); known {
		return tokens
	}
	return defaultWindow
}

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
