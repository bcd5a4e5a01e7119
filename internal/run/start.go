package run

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/idempotency"
	"steward/internal/store"
)

// Started is an accepted run. Replayed means that the same Idempotency-Key had been accepted before.
type Started struct {
	RunID    int64 `json:"run_id"`
	Replayed bool  `json:"-"`
}

// route names this operation among the idempotency keys.
const route = "POST /automation/run"

// Start accepts a run: when it returns, the row is committed, whether Temporal is there or not. The row
// is the outbox. It returns Invalid for a bad request, Unavailable when too many runs are queued, and
// Conflict or Invalid for a key that is in use or was used for another request.
func (s *Service) Start(ctx context.Context, p auth.Principal, r Request) (Started, error) {
	if err := s.normalize(&r); err != nil {
		return Started{}, err
	}
	if err := s.checkHosted(r); err != nil {
		return Started{}, err
	}
	limits, err := json.Marshal(r.Limits)
	if err != nil {
		return Started{}, fmt.Errorf("encode limits: %w", err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Started{}, fmt.Errorf("make workflow id: %w", err)
	}
	workflowID := "run/" + id.String()
	sealed, err := s.ring.Seal(InstructionsBinding(p.Owner, workflowID), []byte(r.Instructions))
	if err != nil {
		return Started{}, err
	}
	connections, err := s.pickConnections(ctx, p.Owner, r)
	if err != nil {
		return Started{}, err
	}
	once := idempotency.Once{Route: route, Key: r.IdempotencyKey, Digest: r.BodyDigest}
	var out Started
	err = s.db.Tx(ctx, func(q *store.Queries) error {
		if out.Replayed, err = once.Find(ctx, q, p.Owner, &out); err != nil || out.Replayed {
			return err
		}
		queued, err := q.CountQueued(ctx, int32(s.opts.QueueLimit)) //nolint:gosec // a setting
		if err != nil {
			return fmt.Errorf("count queue: %w", err)
		}
		if queued >= int64(s.opts.QueueLimit) {
			return fault.New(fault.Unavailable, "%d runs are waiting to be started; try again later", queued).
				WithCode("queue_full").WithRetryAfter(5 * time.Second)
		}
		servers, err := pickServers(ctx, q, p.Owner, r)
		if err != nil {
			return err
		}
		in := store.InsertRunParams{
			Owner: p.Owner, Actor: p.Actor, WorkflowID: workflowID, ServerIDs: servers, ToolName: r.ToolName,
			InstructionsSealed: sealed, Model: r.Model, Approval: r.Approval, Limits: limits, Metadata: r.Metadata,
			Mode: string(r.Mode), Connections: connections, OutputSchema: r.OutputSchema,
			ServersNamed: r.MCPServerID != 0 || len(r.Servers) > 0,
		}
		if r.MCPServerID != 0 {
			in.MCPServerID = &r.MCPServerID
		}
		if in.ServerIDs == nil {
			in.ServerIDs = []int64{}
		}
		row, err := q.InsertRun(ctx, in)
		if err != nil {
			return fmt.Errorf("insert run: %w", err)
		}
		out.RunID = row.ID
		_, err = audit.Append(ctx, q, audit.Event{
			Chain: automation.AuditChain(row.ID), Key: "accepted", Kind: audit.RunAccepted, Actor: p.Actor,
			Body: map[string]any{
				"owner": p.Owner, "state": automation.Queued, "status": automation.Queued.Status(), "servers": in.ServerIDs, "connections": connections, "mode": r.Mode,
				"tool_name": r.ToolName, "model": r.Model, "approval": r.Approval, "limits": r.Limits, "workflow_id": workflowID,
			},
		})
		if err != nil {
			return err
		}
		return once.Keep(ctx, q, p.Owner, http.StatusAccepted, out)
	})
	if err != nil {
		return Started{}, fmt.Errorf("accept run: %w", err)
	}
	if !out.Replayed {
		s.starts.offer(order{run: out.RunID, workflow: workflowID})
	}
	return out, nil
}

// start hands an accepted run to Temporal. The id makes a repetition harmless: while the workflow runs, or
// after it ended, Temporal answers with the same execution.
func (s *Service) start(ctx context.Context, o order) error {
	ctx, cancel := context.WithTimeout(ctx, temporalTimeout)
	defer cancel()
	_, err := s.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: o.workflow, TaskQueue: automation.TaskQueue, WorkflowTaskTimeout: 5 * time.Second,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            fmt.Sprintf("run %d", o.run),
	}, automation.WorkflowRun, automation.RunInput{RunID: o.run})
	if err != nil {
		return fmt.Errorf("start workflow: %w", err)
	}
	if err := s.db.MarkDispatched(ctx, o.run); err != nil {
		return fmt.Errorf("mark run dispatched: %w", err)
	}
	return nil
}
