package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/run"
	"steward/internal/store"
)

// show reads what belongs to a run and opens what is sealed.
func (h *runs) show(ctx context.Context, p auth.Principal, row *store.AutomationRun) (*runOutput, error) {
	summary, sumErr := h.summary(summarized(row))
	input, inErr := h.input(row)
	output, outErr := h.output(row)
	waiting, waitErr := h.waiting(p, row)
	if err := errors.Join(sumErr, inErr, outErr, waitErr); err != nil {
		return nil, err
	}
	calls, err := h.db.ListCallSummaries(ctx, store.ListCallSummariesParams{RunID: row.ID, Owner: row.Owner})
	if err != nil {
		return nil, fmt.Errorf("read tool calls: %w", err)
	}
	shown := Run{RunSummary: summary, Input: input, Output: output, Waiting: waiting, ToolCalls: []ToolCall{}, Cancellation: cancellation(row, calls)}
	for _, c := range calls {
		shown.ToolCalls = append(shown.ToolCalls, toolCall(c))
	}
	if row.FinishedAt == nil && slices.ContainsFunc(calls, waits) {
		err = h.addQuestions(ctx, row, shown.ToolCalls)
	}
	return &runOutput{Body: shown}, err
}

// summary shows a row of a list.
func (h *runs) summary(row *store.ListRunsRow) (RunSummary, error) {
	usage, err := usageOf(row.Usage)
	if err != nil {
		return RunSummary{}, fmt.Errorf("usage of run %d: %w", row.ID, err)
	}
	self := runPath(row.ID)
	s := RunSummary{
		RunID: row.ID, UserID: row.Owner, Status: automation.State(row.State).Status(), State: row.State,
		ToolName: row.ToolName, Model: row.Model, Provider: row.Provider, Usage: usage,
		CreatedAt: row.CreatedAt, StartedAt: row.StartedAt, FinishedAt: row.FinishedAt,
		Links: RunLinks{Self: self, Events: self + "/events", History: self + "/history", TemporalUI: h.temporal.workflow(row.WorkflowID)},
	}
	if row.ErrorCode != "" {
		s.Error = &RunError{Code: row.ErrorCode, Message: row.ErrorMessage}
	}
	return s, nil
}

// summarized is a whole row as a list would hold it.
func summarized(row *store.AutomationRun) *store.ListRunsRow {
	return &store.ListRunsRow{
		ID: row.ID, Owner: row.Owner, WorkflowID: row.WorkflowID, ToolName: row.ToolName, Model: row.Model, State: row.State,
		ErrorCode: row.ErrorCode, ErrorMessage: row.ErrorMessage, Provider: row.Provider, Usage: row.Usage,
		CreatedAt: row.CreatedAt, StartedAt: row.StartedAt, FinishedAt: row.FinishedAt,
	}
}

// input opens what the run was asked.
func (h *runs) input(row *store.AutomationRun) (RunInput, error) {
	instructions, err := h.ring.Open(run.InstructionsBinding(row.Owner, row.WorkflowID), row.InstructionsSealed)
	if err != nil {
		return RunInput{}, fmt.Errorf("open instructions of run %d: %w", row.ID, err)
	}
	in := RunInput{
		MCPServerID: row.MCPServerID, Servers: row.ServerIDs, Connections: row.Connections, ToolName: row.ToolName,
		Instructions: string(instructions), Model: row.Model, Mode: row.Mode, Approval: row.Approval, OutputSchema: row.OutputSchema,
	}
	var limits automation.Limits
	if err := json.Unmarshal(row.Limits, &limits); err != nil {
		return RunInput{}, fmt.Errorf("limits of run %d: %w", row.ID, err)
	}
	in.Limits = RunLimits{Steps: limits.Steps, Tokens: limits.Tokens, WallSeconds: limits.WallSeconds}
	if limits.CostMicroUSD > 0 {
		cost := usd(limits.CostMicroUSD)
		in.Limits.CostUSD = &cost
	}
	if err := json.Unmarshal(row.Metadata, &in.Metadata); err != nil {
		return RunInput{}, fmt.Errorf("metadata of run %d: %w", row.ID, err)
	}
	return in, nil
}

// output opens the final answer, nil while there is none.
func (h *runs) output(row *store.AutomationRun) (*RunOutput, error) {
	if row.OutputSealed == nil {
		return nil, nil
	}
	opened, err := h.ring.Open(run.OutputBinding(row.Owner, row.WorkflowID), row.OutputSealed)
	if err != nil {
		return nil, fmt.Errorf("open output of run %d: %w", row.ID, err)
	}
	out := &RunOutput{}
	if err := json.Unmarshal(opened, out); err != nil {
		return nil, fmt.Errorf("output of run %d: %w", row.ID, err)
	}
	return out, nil
}

func usageOf(raw json.RawMessage) (Usage, error) {
	var u automation.Usage
	if err := json.Unmarshal(raw, &u); err != nil {
		return Usage{}, fmt.Errorf("decode usage: %w", err)
	}
	shown := Usage{
		InputTokens: u.InputTokens, CachedTokens: u.CachedTokens, OutputTokens: u.OutputTokens,
		ReasoningTokens: u.ReasoningTokens, TotalTokens: u.TotalTokens, Estimated: u.Estimated,
	}
	if u.CostKnown {
		cost := usd(u.CostMicroUSD)
		shown.CostUSD = &cost
	}
	return shown, nil
}
