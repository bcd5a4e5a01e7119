package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/tool/addressee"
)

// CheckEdit validates the arguments with which a person replaces the model's, against the schema pinned
// when the run started. It returns them canonical and sealed, with their digest.
func (x *Executor) CheckEdit(ctx context.Context, runID int64, row *store.ToolCall, arguments json.RawMessage) (sealed []byte, digest string, err error) {
	if row.ExecutedBy == byProvider {
		return nil, "", fault.InvalidField("body.decision", "the model's provider makes this call with its own arguments: deny it and say what should be different")
	}
	cat, err := x.Catalogue(ctx, runID)
	if err != nil {
		return nil, "", err
	}
	t, ok := cat.Find(row.FunctionName)
	if !ok {
		return nil, "", fault.New(fault.Conflict, "the call's tool is not in the run's catalogue")
	}
	canonical, err := x.schemas.arguments(t, string(arguments))
	if err != nil {
		return nil, "", fault.InvalidField("body.arguments", "%s", fault.Text(err))
	}
	sealed, err = x.ring.Seal(ArgumentsBinding(row.Owner, row.ID), canonical)
	return sealed, secret.Digest(canonical), err
}

func (x *Executor) applyEdit(ctx context.Context, q *store.Queries, c *call, d *store.Decision) error {
	canonical, err := x.ring.Open(ArgumentsBinding(c.row.Owner, c.row.ID), d.NewArgumentsSealed)
	if err != nil {
		return err
	}
	if secret.Digest(canonical) != d.NewDigest {
		return fault.New(fault.Forbidden, "the edited arguments are not those that were approved").WithCode("approval_mismatch")
	}
	if c.typed, err = x.typed(c, d, canonical); err != nil {
		return err
	}
	n, err := q.SetCallArguments(ctx, store.SetCallArgumentsParams{
		ID: c.row.ID, RunID: c.row.RunID, ArgumentsSealed: d.NewArgumentsSealed, Digest: d.NewDigest,
		ArgumentsPreview: x.patterns.Preview(canonical, previewBytes),
	})
	if err != nil {
		return fmt.Errorf("apply edited arguments: %w", err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "a call that was sent can no longer be edited")
	}
	return nil
}

// typed counts the addressees that a person brought in: those of the edited arguments that the guard had not found
// in the model's. They need no approval, and the claim records them.
func (x *Executor) typed(c *call, d *store.Decision, arguments []byte) (int, error) {
	var asked Explanation
	if err := json.Unmarshal(d.Explanation, &asked); err != nil {
		return 0, fmt.Errorf("decode explanation: %w", err)
	}
	n := 0
	for _, a := range addressee.InArguments(arguments, c.tool.Addressees) {
		seen := func(r Receiver) bool { return r.Value == Clean(a.Value, maxReceiver) }
		if !slices.ContainsFunc(asked.Addressees, seen) {
			n++
		}
	}
	return n, nil
}
