package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"steward/internal/durable"
)

// The bare workflow does the outside work of a run and nothing else.
const (
	bareQueue    = "bench"
	bareWorkflow = "Bare"
	bareActivity = "Step"
)

// step is what one activity of the bare workflow does.
type step struct {
	Kind  string `json:"kind"`            // ask, call or nothing
	Index int    `json:"index,omitempty"` // of the request to the model
}

const (
	ask     = "ask"
	call    = "call"
	nothing = "nothing"
)

// options are those that a run's activities have.
var options = workflow.ActivityOptions{
	StartToCloseTimeout: 3 * time.Minute, HeartbeatTimeout: 5 * time.Second,
	RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumAttempts: 3},
}

func bare(ctx workflow.Context, steps []step) error {
	ctx = workflow.WithActivityOptions(ctx, options)
	for _, s := range steps {
		if err := workflow.ExecuteActivity(ctx, bareActivity, s).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// askFile is where a recorded request to the model lies.
func askFile(data string, index int) string {
	return filepath.Join(data, fmt.Sprintf("ask-%d.json", index))
}

// outside is what the bare activities reach.
type outside struct {
	session *mcp.ClientSession
	model   string
	data    string
}

func (o *outside) step(ctx context.Context, s step) error {
	switch s.Kind {
	case ask:
		return o.ask(ctx, s.Index)
	case call:
		return callBare(ctx, o.session, readTool, readArgs)
	default:
		return nil
	}
}

func (o *outside) ask(ctx context.Context, index int) error {
	body, err := os.ReadFile(askFile(o.data, index))
	if err != nil {
		return fmt.Errorf("ask the model: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.model+"/responses", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask the model: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer offline")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the model: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return fmt.Errorf("ask the model: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the model: status %d", res.StatusCode)
	}
	return nil
}

// workBare runs the worker of the bare workflow until ctx ends.
func workBare(ctx context.Context, data, model string, logger *slog.Logger) error {
	session, err := dialSandbox(ctx, "files", filepath.Join(data, "files"))
	if err != nil {
		return err
	}
	defer func() { _ = session.Close() }()
	c, err := dialBare(logger)
	if err != nil {
		return err
	}
	defer c.Close()
	w := worker.New(c, bareQueue, durable.WorkerOptions())
	w.RegisterWorkflowWithOptions(bare, workflow.RegisterOptions{Name: bareWorkflow})
	o := &outside{session: session, model: model, data: data}
	w.RegisterActivityWithOptions(o.step, activity.RegisterOptions{Name: bareActivity})
	if err := w.Start(); err != nil {
		return fmt.Errorf("start the bare worker: %w", err)
	}
	<-ctx.Done()
	w.Stop()
	return nil
}

// dialBare makes a client without our codec.
func dialBare(logger *slog.Logger) (client.Client, error) {
	c, err := client.Dial(client.Options{HostPort: os.Getenv("TEMPORAL_ADDRESS"), Logger: log.NewStructuredLogger(logger)})
	if err != nil {
		return nil, fmt.Errorf("dial Temporal: %w", err)
	}
	return c, nil
}
