package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/temporal"

	"steward/internal/fault"
	"steward/internal/llm"
	"steward/internal/store"
)

// failure is the one mapping of errors to Temporal. Only text that a person may read goes into the
// history; the cause is logged by the caller's interceptor. The type is the fault's stable code.
func failure(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if e, ok := errors.AsType[*llm.Error](err); ok {
		return temporal.NewApplicationErrorWithOptions(e.Message, "LLM_"+e.Code, temporal.ApplicationErrorOptions{
			NonRetryable: !e.Retryable, NextRetryDelay: e.RetryAfter,
		})
	}
	if store.IsUnavailable(err) {
		return temporal.NewApplicationError("the database cannot be reached", string(fault.Unavailable))
	}
	opts := temporal.ApplicationErrorOptions{}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		opts.NextRetryDelay = e.RetryAfter
		switch e.Kind {
		case fault.Upstream, fault.Unavailable, fault.Exhausted, fault.Internal:
		case fault.Conflict: // another attempt has the call: look again what became of it
		default:
			opts.NonRetryable = true
		}
	}
	return temporal.NewApplicationErrorWithOptions(fault.Text(err), fault.CodeOf(err), opts)
}
