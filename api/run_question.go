package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"steward/internal/automation"
	"steward/internal/store"
	"steward/internal/tool"
)

// Question is an open question to the run's owner. Whoever answers repeats its digest, so that nobody
// agrees to something else than what was shown.
type Question struct {
	ID          string      `json:"id" doc:"The question's id." example:"dec_019aa4f08a5c7d5e"`
	Kind        string      `json:"kind" enum:"approval,unknown,input" doc:"approval: may the call be sent? unknown: was it sent? input: the server asks something before it goes on." example:"approval"`
	Digest      string      `json:"digest" doc:"Of what is shown here; the answer repeats it." example:"9f86d081884c7d65"`
	Reason      string      `json:"reason" doc:"Why a person is asked." example:"the tool changes something"`
	Explanation Explanation `json:"explanation" doc:"What the policy found."`
	AskedAt     time.Time   `json:"asked_at" doc:"When it was asked." example:"2026-11-20T09:30:01Z"`
	ExpiresAt   time.Time   `json:"expires_at" doc:"When the answer becomes no." example:"2026-11-27T09:30:01Z"`
	Arguments   any         `json:"arguments" doc:"The arguments in full."`
	Verdicts    []string    `json:"decisions" doc:"The possible answers."`
	Input       *Input      `json:"input,omitempty" doc:"For kind input: what the server asks."`
}

// Input is what a server asks in the middle of a call, in its own words.
type Input struct {
	Server  string          `json:"server" doc:"Who asks." example:"travel"`
	Mode    string          `json:"mode" enum:"form,url" doc:"form: fill in the form; url: open the page." example:"form"`
	Message string          `json:"message" doc:"The server's own words: nobody has checked them." example:"Which seat do you want?"`
	Schema  json.RawMessage `json:"schema,omitempty" doc:"JSON Schema of the form, an object of plain fields. Its texts are the server's own words."`
	URL     string          `json:"url,omitempty" format:"uri" doc:"The page to open: an https address that the server names. Nobody here has opened it." example:"https://travel.example.com/consent"`
}

// waits reports whether a call can have an open question. One that is on its way has a server's.
func waits(c *store.ListCallSummariesRow) bool {
	s := automation.CallState(c.State)
	return s == automation.CallWaiting || s == automation.CallUnknown || s == automation.CallClaimed
}

// addQuestions puts the open questions beside their calls, with the arguments in full: who decides must
// see what would be sent.
func (h *runs) addQuestions(ctx context.Context, row *store.AutomationRun, calls []ToolCall) error {
	decisions, err := h.db.ListDecisions(ctx, store.ListDecisionsParams{RunID: row.ID, Owner: row.Owner})
	if err != nil {
		return fmt.Errorf("read decisions: %w", err)
	}
	for i := range calls {
		open := openQuestion(decisions, calls[i].ID)
		if open == nil {
			continue
		}
		call, err := h.db.GetCall(ctx, store.GetCallParams{ID: calls[i].ID, RunID: row.ID})
		if err != nil {
			return fmt.Errorf("read tool call: %w", err)
		}
		arguments, err := h.ring.Open(tool.ArgumentsBinding(row.Owner, call.ID), call.ArgumentsSealed)
		if err != nil {
			return fmt.Errorf("open arguments of call %s: %w", call.ID, err)
		}
		if calls[i].Question, err = question(open, arguments); err != nil {
			return err
		}
		if automation.DecisionKind(open.Kind) != automation.AskInput {
			continue
		}
		in, err := tool.OpenInput(h.ring, open)
		if err != nil {
			return fmt.Errorf("open question of call %s: %w", call.ID, err)
		}
		calls[i].Question.Input = &Input{Server: calls[i].Server, Mode: in.Mode, Message: in.Message, Schema: in.Schema, URL: in.URL}
	}
	return nil
}

func question(d *store.Decision, arguments json.RawMessage) (*Question, error) {
	explained, err := explanation(d)
	if err != nil {
		return nil, err
	}
	kind := automation.DecisionKind(d.Kind)
	q := &Question{
		ID: d.ID, Kind: d.Kind, Digest: d.Digest, Reason: d.Reason, Explanation: explained, AskedAt: d.AskedAt, ExpiresAt: d.ExpiresAt, Arguments: arguments,
	}
	for _, v := range verdicts {
		if kind.Allows(v) {
			q.Verdicts = append(q.Verdicts, string(v))
		}
	}
	return q, nil
}

var verdicts = []automation.Verdict{
	automation.Approve, automation.Deny, automation.Edit, automation.Check, automation.Retry, automation.Skip,
	automation.Answer, automation.Decline,
}

// openQuestion finds the unanswered question about a call.
func openQuestion(decisions []*store.Decision, call string) *store.Decision {
	i := slices.IndexFunc(decisions, func(d *store.Decision) bool { return d.Call == call && d.Verdict == "" })
	if i < 0 {
		return nil
	}
	return decisions[i]
}
