package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
)

type listInput struct {
	Caller

	Status string `query:"status" enum:"pending,success,error" doc:"Only runs of this status." example:"pending"`
	State  string `query:"state" enum:"queued,running,waiting_for_approval,waiting_for_auth,waiting_for_budget,waiting_for_model,waiting_for_decision,success,error,cancelled,budget_exceeded" doc:"Only runs in this state." example:"waiting_for_approval"`
	Server int64  `query:"server" minimum:"1" doc:"Only runs that may use this MCP server." example:"1"`
	Since  string `query:"since" format:"date-time" doc:"Only runs accepted at or after this time." example:"2026-11-01T00:00:00Z"`
	Until  string `query:"until" format:"date-time" doc:"Only runs accepted before this time." example:"2026-12-01T00:00:00Z"`
	Limit  int32  `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many runs at most." example:"50"`
	Cursor string `query:"cursor" maxLength:"64" doc:"next_cursor of the page before." example:"YmVmb3JlOjQy"`
}

type listBody struct {
	Runs       []RunSummary `json:"runs" doc:"Newest first."`
	NextCursor *string      `json:"next_cursor" doc:"Where the next page begins; null on the last." example:"YmVmb3JlOjQy"`
}

type listOutput struct{ Body listBody }

func (h *runs) registerList(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "listRuns", Method: http.MethodGet, Path: "/automation/runs", Tags: []string{"runs"},
			Summary:     "List one's recent runs",
			Description: "Newest first. Read a run itself for its input, output and calls.",
		},
		access: access{scope: auth.RunsRead}, answers: exampleList(),
	}, h.list)
}

func (h *runs) list(ctx context.Context, in *listInput) (*listOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	body, err := h.page(ctx, p.Owner, in)
	if err != nil {
		return nil, err
	}
	return &listOutput{Body: *body}, nil
}

func (h *runs) page(ctx context.Context, owner string, in *listInput) (*listBody, error) {
	query, err := in.query(owner)
	if err != nil {
		return nil, err
	}
	rows, err := h.db.ListRuns(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	out := &listBody{Runs: []RunSummary{}}
	if len(rows) > int(in.Limit) {
		rows = rows[:in.Limit]
		next := encodeCursor(rows[len(rows)-1].ID)
		out.NextCursor = &next
	}
	for _, row := range rows {
		s, err := h.summary(row)
		if err != nil {
			return nil, err
		}
		out.Runs = append(out.Runs, s)
	}
	return out, nil
}

// query asks for one row more than the page holds, to learn whether there is a next page.
func (in *listInput) query(owner string) (store.ListRunsParams, error) {
	before, err := decodeCursor(in.Cursor)
	if err != nil {
		return store.ListRunsParams{}, err
	}
	q := store.ListRunsParams{Owner: owner, BeforeID: before, States: in.states(), PageSize: in.Limit + 1}
	if in.Server != 0 {
		q.ServerID = &in.Server
	}
	if q.Since, err = instant("query.since", in.Since); err != nil {
		return q, err
	}
	q.Until, err = instant("query.until", in.Until)
	return q, err
}

// states lists the states that pass both filters; nil lets all pass.
func (in *listInput) states() []string {
	if in.Status == "" && in.State == "" {
		return nil
	}
	passing := []string{}
	for _, s := range automation.States {
		if (in.Status == "" || s.Status() == in.Status) && (in.State == "" || string(s) == in.State) {
			passing = append(passing, string(s))
		}
	}
	return passing
}

func instant(location, text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil, fault.InvalidField(location, "not a time as in RFC 3339")
	}
	return &at, nil
}
