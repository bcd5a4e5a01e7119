package api

import (
	"encoding/json"
	"fmt"
	"time"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/store"
)

// Waiting says what a run waits for that no call of its own can bring.
type Waiting struct {
	Reason    string     `json:"reason" doc:"Why the run waits, for a person." example:"Gmail was not granted what GMAIL_SEND_EMAIL needs"`
	Provider  string     `json:"provider,omitempty" doc:"Whose consent is needed: a provider, or mcp/<id> for what stands behind that MCP server." example:"google"`
	Connector string     `json:"connector,omitempty" doc:"For which connection or MCP server." example:"gmail"`
	Tool      string     `json:"tool,omitempty" doc:"Whose changed definition somebody must review before the run goes on." example:"send_email"`
	Scopes    []string   `json:"scopes,omitempty" doc:"What has not been granted; any one suffices, of an MCP server all are needed. Absent when the grant as a whole has ended."`
	Since     time.Time  `json:"since" doc:"Since when it waits." example:"2026-11-20T09:30:03Z"`
	RetryAt   *time.Time `json:"retry_at,omitempty" doc:"When it is tried again although nobody did anything." example:"2026-11-20T09:40:03Z"`
	URL       string     `json:"url,omitempty" format:"uri" doc:"Where the user consents: a link that works once and for 15 minutes. Each reading makes a new one, for callers who may connect." example:"http://127.0.0.1:8000/auth/google/login?link=eyJhbGciOi"`
}

// waiting is nil for a run that waits for nothing, or for a decision about a call.
func (h *runs) waiting(p auth.Principal, row *store.AutomationRun) (*Waiting, error) {
	if row.Waiting == nil || row.FinishedAt != nil {
		return nil, nil
	}
	var w automation.Waiting
	if err := json.Unmarshal(row.Waiting, &w); err != nil {
		return nil, fmt.Errorf("what run %d waits for: %w", row.ID, err)
	}
	shown := &Waiting{Reason: w.Reason, Provider: w.Provider, Connector: w.Connector, Tool: w.Tool, Scopes: w.Scopes, Since: w.Since}
	if !w.RetryAt.IsZero() {
		shown.RetryAt = &w.RetryAt
	}
	if w.Provider == "" || !p.Can(auth.Connections) { // also beside a question, which is what the state says then
		return shown, nil
	}
	var err error
	shown.URL, err = h.links.again(row.Owner, w)
	return shown, err
}
