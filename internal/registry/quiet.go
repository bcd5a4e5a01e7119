package registry

import (
	"errors"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"steward/internal/mcpclient"
	"steward/internal/secret"
)

// quiet is the cause of a failure without secrets. errors.Is and errors.As find in it all that it was, a JSON-RPC error
// with clean words; it cannot be unwrapped.
type quiet struct {
	text  string
	wire  *jsonrpc.Error // nil: there is none
	cause error
}

func (q *quiet) Error() string { return q.text }

// Is makes errors.Is look into the cause.
func (q *quiet) Is(target error) bool { return errors.Is(q.cause, target) }

// As makes errors.As look into the cause.
func (q *quiet) As(target any) bool {
	if wire, ok := target.(**jsonrpc.Error); ok && q.wire != nil {
		*wire = q.wire
		return true
	}
	return errors.As(q.cause, target)
}

// quieted is the failure of a request as it may be logged: a server answers with what it was given, and a child prints
// it. Everybody who waited for the same session has the same error, so that what is changed is a copy.
func (a aim) quieted(err error) error {
	e, ok := errors.AsType[*mcpclient.Error](err)
	if !ok {
		return err
	}
	values := a.secrets()
	if len(values) == 0 {
		return err
	}
	redactor := secret.NewRedactor(values...).Exact()
	clean := *e
	clean.Stderr = make([]string, len(e.Stderr))
	for i, line := range e.Stderr {
		clean.Stderr[i] = redactor.Text(line)
	}
	cause := &quiet{text: redactor.Text(e.Err.Error()), cause: e.Err}
	if wire, ok := errors.AsType[*jsonrpc.Error](e.Err); ok {
		words := *wire
		words.Message = redactor.Text(wire.Message)
		if len(wire.Data) > 0 {
			words.Data = redactor.JSON(wire.Data)
		}
		cause.wire = &words
	}
	clean.Err = cause
	return &clean
}
