package connector

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"steward/internal/egress"
	"steward/internal/fault"
	"steward/internal/secret"
)

// testTime bounds a test, dialling included.
const testTime = 5 * time.Second

// CodeEgressDenied is the code of the fault for an address that the operator does not let the user reach.
const CodeEgressDenied = "egress_denied"

// Test finds out within 5 s whether the settings work, and keeps nothing. Its error is a fault of kind Invalid for what
// is filled in wrongly, with CodeEgressDenied for a place that is not for users to reach, else an *Error that says what
// went wrong.
func (c *Connections) Test(ctx context.Context, f Filled) error {
	settings, _, err := f.read()
	if err != nil {
		return err
	}
	return c.try(ctx, f, settings)
}

// Check finds out within 5 s whether a connection that was made with a form still works. Its error is an *Error.
func (c *Connections) Check(ctx context.Context, conn Connection) error {
	link, err := c.link(conn)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	return link.Test(ctx)
}

// read checks what was filled in, and says where it leads.
func (f Filled) read() (Settings, string, error) {
	settings, err := f.Kind.Form.Read(f.Values)
	if err != nil {
		return settings, "", err
	}
	place, err := f.Kind.Form.Place(settings)
	return settings, place, err
}

func (c *Connections) try(ctx context.Context, f Filled, settings Settings) error {
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	watched := &watch{dial: c.dial(f.Owner)}
	link, err := f.Kind.Form.Open(settings, watched.Dial)
	if err == nil {
		err = link.Test(ctx)
		link.Close()
	}
	switch {
	case err == nil:
		return nil
	case watched.denied.Load():
		e := fault.InvalidField("body."+f.Kind.Form.Fields[0].Name, "the address is not public, and the operator has not allowed it")
		return e.WithCode(CodeEgressDenied)
	}
	return c.told(ctx, f, settings, err)
}

// told logs why a test has failed, and is that without what was filled in secretly: systems and drivers may repeat it.
func (c *Connections) told(ctx context.Context, f Filled, settings Settings, err error) error {
	hidden := f.Kind.Form.redactor(settings)
	c.log.InfoContext(ctx, "connection not made", "connector", f.Kind.Name, "owner", f.Owner, "error", hidden.Text(err.Error()))
	if e, ok := asError(err); ok {
		return &Error{Ran: e.Ran, Answered: e.Answered, Reason: hidden.Exact().Text(e.Reason), RetryAfter: e.RetryAfter}
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return errors.New(hidden.Exact().Text(err.Error()))
}

// redactor knows what was filled in secretly.
func (f *Form) redactor(s Settings) *secret.Redactor {
	var values []secret.String
	for _, field := range f.Fields {
		if field.Hidden() {
			values = append(values, s.Secret(field.Name))
		}
	}
	return secret.NewRedactor(values...)
}

// watch remembers that an address was denied: not every driver says why it could not dial.
type watch struct {
	dial   Dial
	denied atomic.Bool
}

// Dial is a Dial.
func (w *watch) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := w.dial(ctx, network, address)
	if errors.Is(err, egress.ErrDenied) {
		w.denied.Store(true)
	}
	return conn, err
}
