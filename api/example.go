package api

import (
	"encoding/json"
	"time"
)

// Examples of the OpenAPI document. They are values of the types that are served, so they cannot lag
// behind them.
var exampleTime = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

func after(d time.Duration) *time.Time {
	t := exampleTime.Add(d)
	return &t
}

func of[T any](v T) *T { return &v }

func exampleStart() startBody {
	return startBody{
		MCPServerID: 1, ToolName: "search_emails", Instructions: "Find all emails from last week about invoices and summarise them",
		Mode: "worker", Approval: "policy", Limits: &startLimits{Steps: 25, Tokens: 200_000, CostUSD: "0.5", WallSeconds: 3600},
		Metadata: map[string]json.RawMessage{"ticket": json.RawMessage(`"FIN-7"`)},
	}
}

func exampleToken() tokenBody {
	return tokenBody{AccessToken: "eyJhbGciOiJFZERTQSJ9.e30.c2ln", TokenType: "bearer", ExpiresIn: 900} //nolint:gosec // G101: no token
}

func exampleSummary(state, status string) RunSummary {
	return RunSummary{
		RunID: 1, UserID: "alice", Status: status, State: state, ToolName: "search_emails", Model: "offline-rules", Provider: "offline",
		Usage:     Usage{InputTokens: 1830, OutputTokens: 96, TotalTokens: 1926, CostUSD: of(0.0042)},
		CreatedAt: exampleTime, StartedAt: after(200 * time.Millisecond), FinishedAt: after(4 * time.Second),
		Links: RunLinks{
			Self: "/automation/run/1", Events: "/automation/run/1/events", History: "/automation/run/1/history",
			TemporalUI: "http://127.0.0.1:8233/namespaces/default/workflows/run%2F019aa4f0-8a5c-7d5e-b0a6-3f5d0f3c1a77",
		},
	}
}

func exampleRun() Run {
	return Run{
		RunSummary: exampleSummary("success", "success"),
		Input: RunInput{
			MCPServerID: of(int64(1)), Servers: []int64{1}, Connections: []string{}, ToolName: "search_emails",
			Instructions: "Find all emails from last week about invoices and summarise them", Model: "offline-rules", Mode: "worker",
			Approval: "policy", Limits: RunLimits{Steps: 25, Tokens: 200_000, CostUSD: of(0.5), WallSeconds: 3600}, Metadata: map[string]any{"ticket": "FIN-7"},
		},
		Output: &RunOutput{Text: "Three invoices arrived last week, in total EUR 1,240.00."},
		ToolCalls: []ToolCall{{
			ID: "call_019aa4f08a5c7d5e", Name: "search_emails", Server: "mailbox", Step: 1, Class: "read", ExecutedBy: "worker", Evidence: "observed", State: "done", Outcome: "done",
			Arguments: map[string]any{"query": "invoice newer_than:7d"}, Digest: "9f86d081884c7d65", Attempts: 1, Bytes: 412,
			PlannedAt: exampleTime.Add(time.Second), ClaimedAt: after(1100 * time.Millisecond), SettledAt: after(1400 * time.Millisecond),
		}},
	}
}

func exampleCancelled() Run {
	r := exampleRun()
	r.RunSummary = exampleSummary("running", "pending")
	r.FinishedAt, r.Output = nil, nil
	r.Cancellation = &Cancellation{RequestedAt: exampleTime.Add(3 * time.Second), RequestedBy: "alice", Effects: []Effect{
		{ID: "call_019aa4f08a5c7d5f", Name: "send_email", Server: "mailbox", Outcome: "unknown"},
	}}
	return r
}

func exampleList() listBody {
	return listBody{Runs: []RunSummary{exampleSummary("success", "success")}, NextCursor: of(encodeCursor(1))}
}

func exampleHistory() historyBody {
	return historyBody{
		RunID: 1,
		Steps: []*HistoryStep{
			{Seq: 1, At: exampleTime, Title: "Run accepted", Kind: "run.accepted", Detail: "from alice"},
			{
				Seq: 7, Step: 1, At: exampleTime.Add(time.Second), Title: "Calls mailbox/search_emails", Kind: "tool.claimed",
				Activity: "CallTool", Attempt: 1, DurationMS: of(int64(412)), Outcome: "done",
			},
		},
		Temporal: temporalHistory{
			WorkflowID: "run/019aa4f0-8a5c-7d5e-b0a6-3f5d0f3c1a77",
			UI:         "http://127.0.0.1:8233/namespaces/default/workflows/run%2F019aa4f0-8a5c-7d5e-b0a6-3f5d0f3c1a77",
		},
	}
}

// Seed 001's secret.
const (
	exampleVariable = "GITHUB_TOKEN"
	exampleValue    = "ghp_xxxxxxxxxxxx"
)
