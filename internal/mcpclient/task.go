package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Task is a call that a server goes on with by itself (SEP-2663). Its id outlives the session and this process:
// whoever stores it asks for the rest with Pool.Task and never calls again.
type Task struct {
	ID     string
	Status TaskStatus
	// Said is the server's words about where it stands: foreign text.
	Said  string
	Poll  time.Duration // how long to wait before asking again; 0: the server does not say
	Keeps time.Duration // how long the server keeps it from its creation on; 0: it does not say
}

// TaskStatus is where a task stands.
type TaskStatus string

// The statuses of SEP-2663.
const (
	TaskWorking   TaskStatus = "working"
	TaskNeeds     TaskStatus = "input_required"
	TaskCompleted TaskStatus = "completed"
	TaskFailed    TaskStatus = "failed"
	TaskCancelled TaskStatus = "cancelled"
)

const (
	tasksExtension = "io.modelcontextprotocol/tasks"
	maxTaskID      = 1 << 10 // bytes; it travels in a header too

	methodTaskGet    = "tasks/get"
	methodTaskUpdate = "tasks/update"
	methodTaskCancel = "tasks/cancel"
)

// taskParams are those of all three methods.
type taskParams struct {
	mcp.ParamsBase
	TaskID         string               `json:"taskId"`
	InputResponses mcp.InputResponseMap `json:"inputResponses,omitempty"`
}

// rawResult is for go-sdk, which must decode into something; we read the wire.
type rawResult struct{ mcp.ResultBase }

// addTaskMethods teaches go-sdk the methods that it does not have.
func addTaskMethods(c *mcp.Client) error {
	for _, method := range []string{methodTaskGet, methodTaskUpdate, methodTaskCancel} {
		if err := mcp.AddSendingCustomMethod[*taskParams, *rawResult](c, method); err != nil {
			return fmt.Errorf("adding a method: %w", err)
		}
	}
	return nil
}

// aboutTask sends one of the three methods. The answer to a task that the server does not know is ErrTaskGone.
func (s *session) aboutTask(ctx context.Context, method string, p *taskParams) (json.RawMessage, error) {
	p.Meta = s.meta(true)
	raw, err := s.request(ctx, "task", p.TaskID, func(ctx context.Context) error {
		_, err := mcp.CallCustomMethod[*taskParams, *rawResult](ctx, s.sdk, method, p)
		return err
	})
	if e, ok := errors.AsType[*Error](err); ok && e.Code == jsonrpc.CodeInvalidParams {
		e.Err = fmt.Errorf("%w: %w", ErrTaskGone, e.Err)
	}
	return raw, err
}

// task asks how a task fares.
func (s *session) task(ctx context.Context, id string) (*Result, error) {
	raw, err := s.aboutTask(ctx, methodTaskGet, &taskParams{TaskID: id})
	if err != nil {
		return nil, err
	}
	res, fault, err := parseTaskState(raw)
	switch {
	case err != nil:
		return nil, s.useless("task", err)
	case fault != nil:
		return nil, &Error{Op: "task", Server: s.name, Ran: MaybeRun, Stage: StageResult, Fault: true, Code: fault.Code, Err: fmt.Errorf("%w: %w", ErrTaskFailed, fault)}
	case res.Task != nil && res.Task.ID != id:
		return nil, s.useless("task", errors.New("the answer is about another task"))
	}
	return res, nil
}

// taskWire is a task as it travels: alone in the answer to a call, with its end in the answer to tasks/get.
type taskWire struct {
	TaskID         string                     `json:"taskId"`
	Status         string                     `json:"status"`
	StatusMessage  string                     `json:"statusMessage"`
	PollIntervalMs float64                    `json:"pollIntervalMs"`
	TTLMs          *float64                   `json:"ttlMs"` // null: kept for good
	InputRequests  map[string]json.RawMessage `json:"inputRequests"`
	Result         json.RawMessage            `json:"result"`
	Error          json.RawMessage            `json:"error"`
}

// parseTask reads the answer to a call that became a task.
func parseTask(raw json.RawMessage) (*Task, error) {
	var in taskWire
	if err := decode(raw, &in); err != nil {
		return nil, fmt.Errorf("reading a task: %w", err)
	}
	return in.task()
}

// parseTaskState reads the answer to tasks/get: where the task stands, or how it ended.
func parseTaskState(raw json.RawMessage) (*Result, *jsonrpc.Error, error) {
	var in taskWire
	if err := decode(raw, &in); err != nil {
		return nil, nil, fmt.Errorf("reading a task: %w", err)
	}
	t, err := in.task()
	if err != nil {
		return nil, nil, err
	}
	switch t.Status {
	case TaskCompleted:
		res, err := parseResult(in.Result)
		if err == nil && (res.Needs != nil || res.Task != nil) {
			err = errors.New("reading a task: its result is none")
		}
		return res, nil, err
	case TaskFailed:
		fault := &jsonrpc.Error{}
		if err := decode(in.Error, fault); err != nil {
			return nil, nil, fmt.Errorf("reading why a task failed: %w", err)
		}
		return nil, fault, nil
	case TaskNeeds:
		needs, err := parseNeeds(in.InputRequests, "")
		return &Result{Content: emptyContent, Task: t, Needs: needs}, nil, err
	default:
		return &Result{Content: emptyContent, Task: t}, nil, nil
	}
}

func (in *taskWire) task() (*Task, error) {
	t := &Task{ID: in.TaskID, Status: TaskStatus(in.Status), Said: in.StatusMessage, Poll: milliseconds(&in.PollIntervalMs), Keeps: milliseconds(in.TTLMs)}
	if t.ID == "" || len(t.ID) > maxTaskID {
		return nil, errors.New("reading a task: it has no usable id")
	}
	switch t.Status {
	case TaskWorking, TaskNeeds, TaskCompleted, TaskFailed, TaskCancelled:
		return t, nil
	}
	return nil, fmt.Errorf("reading a task: unknown status %q", in.Status)
}

// milliseconds reads a duration that a stranger wrote: at most a year, 0 for nothing or nonsense.
func milliseconds(ms *float64) time.Duration {
	if ms == nil || math.IsNaN(*ms) || *ms <= 0 {
		return 0
	}
	const year = 365 * 24 * time.Hour
	return time.Duration(math.Min(*ms, float64(year.Milliseconds()))) * time.Millisecond
}
