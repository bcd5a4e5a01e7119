package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"steward/internal/connector"
)

const (
	publicURL = "https://slack.com"
	callTime  = 10 * time.Second
	maxAnswer = 8 << 20 // bytes
)

// verdict is what every answer says of itself (https://docs.slack.dev/apis/web-api#responses).
type verdict struct {
	OK    bool   `json:"ok"`
	Error string `json:"error"`
}

// call calls a method and decodes its answer. Slack's own errors are a *refusal. The session's client has the token
// renewed where Slack says that it has ended, and turns a missing scope into an *oauth.ConsentError.
func call(ctx context.Context, s *connector.Session, method string, form url.Values, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	base := publicURL
	if s.BaseURL != "" {
		base = strings.TrimRight(s.BaseURL, "/")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/"+method, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	defer func() { _ = res.Body.Close() }()
	doc, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s: read answer: %w", method, err)
	}
	return read(method, res, doc, answer)
}

func read(method string, res *http.Response, doc []byte, answer any) error {
	var v verdict
	err := json.Unmarshal(doc, &v)
	switch {
	case res.StatusCode != http.StatusOK || err == nil && !v.OK:
		return &refusal{method: method, status: res.StatusCode, word: v.Error, wait: retryAfter(res.Header)}
	case err != nil:
		return fmt.Errorf("%s: decode answer: %w", method, err)
	}
	if err := json.Unmarshal(doc, answer); err != nil {
		return fmt.Errorf("%s: decode answer: %w", method, err)
	}
	return nil
}
