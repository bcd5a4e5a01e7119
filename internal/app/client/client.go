// Package client calls Steward's own HTTP API, as the command line and `steward dev` do. It speaks to one
// server as one user.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"steward/api"
	"steward/internal/fault"
	"steward/internal/secret"
)

// Client calls one server with one token. It is safe for concurrent use.
type Client struct {
	base  string
	token secret.String
	http  *http.Client
}

// New makes a client of the server at base, such as http://127.0.0.1:8000.
func New(base string, token secret.String) *Client {
	return &Client{base: strings.TrimRight(base, "/"), token: token, http: &http.Client{}}
}

// Request is what a run is asked. Zero fields are left to the server.
type Request struct {
	MCPServerID  int64           `json:"mcp_server_id,omitempty"`
	Servers      []string        `json:"servers,omitempty"`
	Connections  []string        `json:"connections,omitempty"`
	ToolName     string          `json:"tool_name,omitempty"`
	Instructions string          `json:"instructions"`
	Mode         string          `json:"mode,omitempty"`
	Approval     string          `json:"approval,omitempty"`
	Limits       Limits          `json:"limits,omitzero"`
	OutputSchema json.RawMessage `json:"output_schema,omitempty"`
}

// Limits bound a run. Zero fields are left to the server.
type Limits struct {
	CostUSD json.Number `json:"cost_usd,omitempty"` // as it was typed: a float would be another amount
}

// Start starts a run and returns its number.
func (c *Client) Start(ctx context.Context, r Request) (int64, error) {
	var out struct {
		RunID int64 `json:"run_id"`
	}
	err := c.call(ctx, http.MethodPost, "/automation/run", r, &out)
	return out.RunID, err
}

// Run reads a run.
func (c *Client) Run(ctx context.Context, id int64) (*api.Run, error) {
	out := &api.Run{}
	err := c.call(ctx, http.MethodGet, runPath(id), nil, out)
	return out, err
}

// Page is one page of runs, newest first. Next is empty on the last.
type Page struct {
	Runs []api.RunSummary `json:"runs"`
	Next string           `json:"next_cursor"`
}

// Runs reads a page of runs. The filter takes the parameters of GET /automation/runs.
func (c *Client) Runs(ctx context.Context, filter url.Values) (*Page, error) {
	out := &Page{}
	err := c.call(ctx, http.MethodGet, "/automation/runs?"+filter.Encode(), nil, out)
	return out, err
}

// Decision answers the open question about a call. Digest is that of the question which the person saw.
type Decision struct {
	Decision  string          `json:"decision"`
	Digest    string          `json:"digest"`
	Reason    string          `json:"reason,omitempty"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
}

// Decide returns whether the run has taken the decision; if not, it is recorded and will.
func (c *Client) Decide(ctx context.Context, id int64, call string, d Decision) (delivered bool, err error) {
	var out struct {
		Delivered bool `json:"delivered"`
	}
	err = c.call(ctx, http.MethodPost, runPath(id)+"/calls/"+url.PathEscape(call)+"/decision", d, &out)
	return out.Delivered, err
}

func runPath(id int64) string { return "/automation/run/" + strconv.FormatInt(id, 10) }

// maxAnswer bounds what is read of one answer: a run holds no results, only previews of its calls.
const maxAnswer = 64 << 20

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		doc, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(doc)
	}
	res, err := c.send(ctx, method, path, body, nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("decode answer of %s: %w", c.base, err)
	}
	return nil
}

// send returns an answer of 2xx, or an error.
func (c *Client) send(ctx context.Context, method, path string, body io.Reader, header map[string]string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "Steward does not answer at %s", c.base)
	}
	if res.StatusCode/100 != 2 {
		defer func() { _ = res.Body.Close() }()
		return nil, refusal(res)
	}
	return res, nil
}

// refusal makes a fault of a problem document.
func refusal(res *http.Response) error {
	var p api.Problem
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&p); err != nil || p.Detail == "" {
		return fault.New(kindOf(res.StatusCode), "the answer is %s and no explanation of Steward's", res.Status)
	}
	text := p.Detail
	if len(p.Errors) > 1 {
		for _, c := range p.Errors {
			text += "\n  " + c.Location + ": " + c.Message
		}
	}
	return fault.New(kindOf(res.StatusCode), "%s", text).WithCode(p.Code)
}

func kindOf(status int) fault.Kind {
	switch {
	case status == http.StatusNotFound:
		return fault.NotFound
	case status == http.StatusConflict:
		return fault.Conflict
	case status == http.StatusUnauthorized:
		return fault.Unauthorized
	case status == http.StatusForbidden:
		return fault.Forbidden
	case status == http.StatusTooManyRequests:
		return fault.Exhausted
	case status >= http.StatusInternalServerError:
		return fault.Unavailable
	}
	return fault.Invalid
}
