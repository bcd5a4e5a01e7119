package llm

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// quotaCodes mean that the account has no budget. They come as 429, and waiting does not help.
var quotaCodes = []string{
	CodeQuota, "credit_balance_exhausted", "organization_spend_limit_exceeded",
	"project_spend_limit_exceeded", "organization_usage_limit_exceeded",
}

// passing are the codes of an answer with status 200, or of a stream, after which the same request may
// succeed.
var passing = []string{"server_error", "rate_limit_exceeded", "slow_down", "server_is_overloaded"}

// problem is the part of an error that is used. Of the message only the label and status of an MCP server
// are. Compatible servers send numbers as code, a bare string as error, or HTML.
type problem struct{ Code, Type, Param, Message string }

// UnmarshalJSON takes what is a string and leaves the rest empty.
func (p *problem) UnmarshalJSON(raw []byte) error {
	var body struct{ Code, Type, Param, Message any }
	if json.Unmarshal(raw, &body) != nil {
		return nil //nolint:nilerr // a problem of another shape is one that says nothing
	}
	str := func(v any) string { s, _ := v.(string); return s }
	*p = problem{Code: str(body.Code), Type: str(body.Type), Param: str(body.Param), Message: str(body.Message)}
	return nil
}

func (p problem) quota() bool     { return p.Type == CodeQuota || slices.Contains(quotaCodes, p.Code) }
func (p problem) connector() bool { return p.Type == CodeConnector || p.Code == CodeConnector }

// code is the provider's identifier of the problem, "" if it has none that is safe.
func (p problem) code(g guard) string {
	if p.connector() {
		return CodeConnector
	}
	if code := g.token(p.Code); code != "" {
		return code
	}
	return g.token(p.Type)
}

// failed is a response or stream that says of itself that it failed.
func (p problem) failed(g guard) *Error {
	e := &Error{Code: p.code(g), Status: 200}
	if e.Code == "" {
		e.Code = codeFailed
	}
	e.Retryable = !p.quota() && (p.connector() || slices.Contains(passing, p.Code))
	p.describe(e, g)
	return e
}

// The wording is that of OpenAI, as others quote it: Error retrieving tool list from MCP server: 'mail'. Http
// status code: 401 (Unauthorized).
var (
	serverPattern = regexp.MustCompile(`MCP server:? ?['"]([A-Za-z0-9_.-]{1,64})['"]`)
	innerPattern  = regexp.MustCompile(`(?i)(?:status(?: code)?:? ?|\()([1-5][0-9][0-9])\b`)
)

// describe writes the message, and which MCP server it is about.
func (p problem) describe(e *Error, g guard) {
	e.Message = explain(e, p.quota())
	if !p.connector() {
		if param := g.token(p.Param); param != "" {
			e.Message += ", parameter " + param
		}
		return
	}
	if m := serverPattern.FindStringSubmatch(p.Message); m != nil && g.safe(m[1]) != "" {
		e.Server = m[1]
		e.Message += " " + e.Server
	}
	if m := innerPattern.FindStringSubmatch(p.Message); m != nil {
		e.Inner, _ = strconv.Atoi(m[1])
		e.Message += fmt.Sprintf(", which answered HTTP %d", e.Inner)
	}
}

func explain(e *Error, quota bool) string {
	switch {
	case quota:
		return "the account with the model provider has no budget"
	case e.Code == CodeTooLong:
		return "the conversation is too long for the model"
	case e.Code == CodeConnector:
		return "the model provider could not use the MCP server"
	case e.Status == 401:
		return "the model provider does not accept the API key"
	case e.Status == 403:
		return "the model provider does not allow this to the API key"
	case e.Status == 404:
		return "the model provider does not know this model or address"
	case e.Status == 429:
		return "the model provider limits the rate of requests"
	case e.Status >= 500:
		return "the model provider has a problem"
	case e.Status == 200:
		return "the model provider failed to answer"
	default:
		return "the model provider refused the request"
	}
}
