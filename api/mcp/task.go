package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/run"
	"steward/internal/store"
)

// The Tasks extension (SEP-2663): a run is a task to clients that declare it.
const (
	extension        = "io.modelcontextprotocol/tasks"
	methodTaskGet    = "tasks/get"
	methodTaskUpdate = "tasks/update"
	methodTaskCancel = "tasks/cancel"
)

// pollTime is how often a client may look.
const pollTime = time.Second

// tasks shows runs as tasks. A task's id is the id of the run's workflow: random, and good for the run's owner alone.
type tasks struct {
	db     *store.DB
	runs   *run.Service
	reader Reader
	input  shape // of run_automation
}

// register adds the extension's methods to s.
func (t *tasks) register(s *sdk.Server) error {
	s.AddReceivingMiddleware(t.middleware)
	return errors.Join(
		sdk.AddReceivingCustomMethod(s, methodTaskGet, t.get),
		sdk.AddReceivingCustomMethod(s, methodTaskUpdate, t.update),
		sdk.AddReceivingCustomMethod(s, methodTaskCancel, t.cancel),
	)
}

// taskStatus are the words of SEP-2663.
type taskStatus string

const (
	working       taskStatus = "working"
	inputRequired taskStatus = "input_required"
	completed     taskStatus = "completed"
	taskFailed    taskStatus = "failed"
	taskCancelled taskStatus = "cancelled"
)

// task is what every answer about one says. Runs are kept, so it never expires.
type task struct {
	ID          string     `json:"taskId"`
	Status      taskStatus `json:"status"`
	Said        string     `json:"statusMessage,omitempty"`
	CreatedAt   time.Time  `json:"createdAt"`
	LastUpdated time.Time  `json:"lastUpdatedAt"`
	TTLMs       *int64     `json:"ttlMs"`
	PollMs      int64      `json:"pollIntervalMs"`
}

// taskCreated answers tools/call.
type taskCreated struct {
	sdk.ResultBase

	Type string `json:"resultType"`
	task
}

// taskShown answers tasks/get.
type taskShown struct {
	sdk.ResultBase

	Type string `json:"resultType"`
	task
	Result    *sdk.CallToolResult `json:"result,omitempty"`
	Error     *jsonrpc.Error      `json:"error,omitempty"`
	Questions sdk.InputRequestMap `json:"inputRequests,omitempty"`
}

// taskTaken answers tasks/update and tasks/cancel.
type taskTaken struct {
	sdk.ResultBase

	Type string `json:"resultType"`
}

type taskParams struct {
	sdk.ParamsBase

	TaskID  string                     `json:"taskId"`
	Answers map[string]json.RawMessage `json:"inputResponses,omitempty"`
}

// middleware lets who declares the extension use it, and answers its calls of run_automation with a task.
func (t *tasks) middleware(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, r sdk.Request) (sdk.Result, error) {
		switch r := r.(type) {
		case *sdk.ServerRequest[*taskParams]:
			if !declared(r.ClientCapabilities()) {
				return nil, errNotDeclared
			}
		case *sdk.CallToolRequest:
			if r.Params.Name == nameRunAutomation && declared(r.ClientCapabilities()) {
				return t.begin(ctx, r)
			}
		}
		return next(ctx, method, r)
	}
}

func declared(c *sdk.ClientCapabilities) bool {
	if c == nil {
		return false
	}
	_, ok := c.Extensions[extension]
	return ok
}

var errNotDeclared = &jsonrpc.Error{
	Code: sdk.CodeMissingRequiredClientCapabilities, Message: "declare the extension " + extension,
	Data: json.RawMessage(`{"requiredCapabilities":{"extensions":{"` + extension + `":{}}}}`),
}

// begin starts a run. It answers once tasks/get would find it.
func (t *tasks) begin(ctx context.Context, r *sdk.CallToolRequest) (sdk.Result, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	in, err := read[runInput](t.input, r.Params.Arguments)
	if err != nil {
		return nil, protocolError(err)
	}
	started, err := start(ctx, t.runs, p, in)
	if err != nil {
		return nil, protocolError(err)
	}
	row, err := t.db.GetRun(ctx, store.GetRunParams{ID: started.RunID, Owner: p.Owner})
	if err != nil {
		return nil, fmt.Errorf("read run: %w", err)
	}
	return &taskCreated{Type: "task", task: taskOf(row, working)}, nil
}

// find reads the caller's run behind a task.
func (t *tasks) find(ctx context.Context, id string) (auth.Principal, *store.AutomationRun, error) {
	p, err := caller(ctx)
	if err != nil {
		return p, nil, err
	}
	row, err := t.db.GetRunOfTask(ctx, store.GetRunOfTaskParams{WorkflowID: id, Owner: p.Owner})
	if store.IsNoRows(err) {
		return p, nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "no such task"}
	}
	if err != nil {
		return p, nil, fmt.Errorf("read run: %w", err)
	}
	return p, row, nil
}

func taskOf(row *store.AutomationRun, status taskStatus) task {
	updated := row.CreatedAt
	for _, at := range []*time.Time{row.StartedAt, row.CancelRequestedAt, row.FinishedAt} {
		if at != nil && at.After(updated) {
			updated = *at
		}
	}
	return task{
		ID: row.WorkflowID, Status: status, CreatedAt: row.CreatedAt.UTC(), LastUpdated: updated.UTC(), PollMs: pollTime.Milliseconds(),
	}
}

// protocolError is a fault as a JSON-RPC error, for methods whose answers have no place for errors of their own.
func protocolError(err error) error {
	if known, ok := errors.AsType[*jsonrpc.Error](err); ok {
		return known
	}
	code := int64(jsonrpc.CodeInternalError)
	switch fault.KindOf(err) {
	case fault.Internal:
		return err
	case fault.Invalid, fault.Malformed, fault.NotFound, fault.Conflict:
		code = jsonrpc.CodeInvalidParams
	}
	data, encodeErr := json.Marshal(map[string]string{"code": fault.CodeOf(err)})
	if encodeErr != nil {
		return encodeErr
	}
	return &jsonrpc.Error{Code: code, Message: fault.Text(err), Data: data}
}
