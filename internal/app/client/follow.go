package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"steward/api"
	"steward/internal/automation"
	"steward/internal/tool"
)

// Follow writes a run's timeline to w as it happens and then its final text. Without wait it also returns
// when the run begins to wait for a person. The run is returned as it is then. Where w is a terminal, its last
// line says how far the model is.
func (c *Client) Follow(ctx context.Context, id int64, w io.Writer, wait bool) (*api.Run, error) {
	timeline := NewTimeline(w)
	err := c.Events(ctx, id, func(e api.RunEvent) error {
		if err := timeline.Add(e); err != nil {
			return err
		}
		if err := c.explain(ctx, id, e, timeline); err != nil {
			return err
		}
		if !wait && Waits(automation.State(stateOf(e))) {
			return errWaits
		}
		return nil
	}, timeline.Tell)
	if err := timeline.erase(); err != nil {
		return nil, err
	}
	if err != nil && !errors.Is(err, errWaits) {
		return nil, fmt.Errorf("follow run %d: %w", id, err)
	}
	run, err := c.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	return run, writeEnd(w, run)
}

var errWaits = errors.New("the run waits for a person")

// Waits reports whether a run in this state goes on only when a person acts.
func Waits(s automation.State) bool {
	switch s {
	case automation.WaitingForApproval, automation.WaitingForDecision, automation.WaitingForAuth, automation.WaitingForBudget:
		return true
	}
	return false
}

// writeEnd writes what a run leaves its owner.
func writeEnd(w io.Writer, run *api.Run) error {
	text := ""
	if run.Output != nil {
		text = run.Output.Text + run.Output.Refusal
		if run.Output.Data != nil {
			text = string(run.Output.Data)
		}
	}
	if run.Error != nil {
		text += "\n" + run.Error.Code + ": " + run.Error.Message
	}
	if cost := run.Usage.CostUSD; cost != nil && *cost > 0 {
		text += fmt.Sprintf("\n%d tokens, %s", run.Usage.TotalTokens, dollars(int64(math.Round(*cost*1e6))))
	}
	if text == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s\n", tool.Clean(text, len(text)))
	return err
}
