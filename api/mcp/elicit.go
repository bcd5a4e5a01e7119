package mcp

import (
	"context"
	"encoding/json"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/mcpclient"
)

// cancelled is the answer of a user who cannot be asked.
var cancelled = mcpclient.Answer{Action: "cancel"}

// canAsk reports whether the client can put such a question to its user. Before 2025-11-25 there were forms alone,
// and a client that declares nothing more has those.
func canAsk(c *sdk.ClientCapabilities, q mcpclient.Question) bool {
	if c == nil || c.Elicitation == nil {
		return false
	}
	if q.Mode == "url" {
		return c.Elicitation.URL != nil
	}
	return c.Elicitation.Form != nil || c.Elicitation.URL == nil
}

// elicitation is a remote server's question as ours to the client.
func elicitation(q mcpclient.Question) *sdk.ElicitParams {
	if q.Mode == "url" {
		return &sdk.ElicitParams{Mode: "url", Message: q.Message, URL: q.URL}
	}
	p := &sdk.ElicitParams{Mode: "form", Message: q.Message, RequestedSchema: json.RawMessage(`{"type":"object","properties":{}}`)}
	if len(q.Schema) > 0 {
		p.RequestedSchema = q.Schema
	}
	return p
}

func answerOf(r *sdk.ElicitResult) (mcpclient.Answer, error) {
	a := mcpclient.Answer{Action: r.Action}
	if r.Action != "accept" || r.Content == nil {
		return a, nil
	}
	var err error
	if a.Content, err = json.Marshal(r.Content); err != nil {
		return a, fmt.Errorf("encode answer: %w", err)
	}
	return a, nil
}

// elicit asks in the middle of a request, which the revisions before 2026-07-28 allow.
func elicit(ctx context.Context, r *sdk.CallToolRequest, q mcpclient.Question) (mcpclient.Answer, error) {
	if !canAsk(r.ClientCapabilities(), q) {
		return cancelled, nil
	}
	answer, err := r.Session.Elicit(ctx, elicitation(q))
	if err != nil {
		return mcpclient.Answer{}, fmt.Errorf("ask the client: %w", err)
	}
	return answerOf(answer)
}
