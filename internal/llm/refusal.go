package llm

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// quotaCodes mean that the account has no budget. They come as 429, and waiting does not help.
var quotaCodes = []string{
	CodeQuota, "credit_balance_exhausted", "organization_spend_limit_exceeded",
	"project_spend_limit_exceeded", "organization_usage_limit_exceeded",
}

// refused classifies an answer that is not 200.
func (c *Client) refused(res *http.Response) *Error {
	// The SDK has read the body of a 4xx or 5xx and put it back; of others it is whatever can be read.
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		raw = nil // the status alone decides
	}
	_ = res.Body.Close() // read to its end or of no more use
	p := parseProblem(raw)
	e := &Error{
		Code: c.safe(token(p.Code)), Status: res.StatusCode, RequestID: c.requestID(res.Header),
		RetryAfter: retryAfter(res.Header, time.Now()),
	}
	if e.Code == "" {
		e.Code = c.safe(token(p.Type))
	}
	if e.Code == "" {
		e.Code = fmt.Sprintf("http_%d", res.StatusCode)
	}
	quota := p.Type == CodeQuota || slices.Contains(quotaCodes, p.Code)
	connector := p.Type == CodeConnector
	if connector {
		e.Code = CodeConnector
	}
	e.Message = explain(e, quota)
	if param := c.safe(token(p.Param)); param != "" {
		e.Message += ", parameter " + param
	}
	e.Retryable = !quota && (connector || transient(res.StatusCode))
	switch res.Header.Get("X-Should-Retry") {
	case "true":
		e.Retryable = true
	case "false":
		e.Retryable = false
	}
	if e.Retryable && e.RetryAfter > MaxRetryAfter {
		e.Retryable = false
		e.Message += fmt.Sprintf(", and asks to wait %s", e.RetryAfter.Round(time.Second))
	}
	return e
}

func transient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

func explain(e *Error, quota bool) string {
	switch {
	case quota:
		return "the account with the model provider has no budget"
	case e.Code == CodeTooLong:
		return "the conversation is too long for the model"
	case e.Code == CodeConnector:
		return "the model provider could not use an MCP server"
	case e.Status == http.StatusUnauthorized:
		return "the model provider does not accept the API key"
	case e.Status == http.StatusForbidden:
		return "the model provider does not allow this to the API key"
	case e.Status == http.StatusNotFound:
		return "the model provider does not know this model or address"
	case e.Status == http.StatusTooManyRequests:
		return "the model provider limits the rate of requests"
	case e.Status >= 500:
		return "the model provider has a problem"
	default:
		return "the model provider refused the request"
	}
}

// problem is the part of an error body that is used. Compatible servers send numbers as code, a bare
// string as error, or HTML.
type problem struct{ Code, Type, Param string }

func parseProblem(raw []byte) problem {
	var body struct {
		Error struct {
			Code  any `json:"code"`
			Type  any `json:"type"`
			Param any `json:"param"`
		} `json:"error"`
	}
	if json.Unmarshal(raw, &body) != nil {
		return problem{}
	}
	str := func(v any) string { s, _ := v.(string); return s }
	return problem{Code: str(body.Error.Code), Type: str(body.Error.Type), Param: str(body.Error.Param)}
}

var tokenPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.\[\]-]{0,99}$`)

// token lets through what looks like an identifier: error texts are foreign and may repeat anything.
func token(s string) string {
	if tokenPattern.MatchString(s) {
		return s
	}
	return ""
}

// safe drops a text in which the provider repeats the key.
func (c *Client) safe(s string) string {
	if !c.key.IsZero() && strings.Contains(s, c.key.Reveal()) {
		return ""
	}
	return s
}
