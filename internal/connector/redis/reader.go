package redis

import (
	"context"
	"errors"
	"slices"

	driver "github.com/redis/go-redis/v9"
)

// reader sends commands that cannot change anything: the wall of its account stands behind it.
type reader struct {
	client   *driver.Client
	scripted bool // in a read-only script
}

func (r reader) wrap(command []string) []any {
	args := make([]any, 0, len(command)+3)
	if r.scripted {
		args = append(args, "EVAL_RO", inside, 0)
	}
	for _, arg := range command {
		args = append(args, arg)
	}
	return args
}

// do sends one command. A key or member that is not there is nil.
func (r reader) do(ctx context.Context, command ...string) (any, error) {
	return found(r.client.Do(ctx, r.wrap(command)...).Result())
}

// reply is one of several.
type reply struct {
	value any
	err   error // a refusal by the server
}

func (r reply) get() (any, error) { return r.value, r.err }

// all sends commands in one round trip. The error is that of the connection; what the server refuses is in the reply.
func (r reader) all(ctx context.Context, commands ...[]string) ([]reply, error) {
	if len(commands) == 0 {
		return nil, nil
	}
	pipe := r.client.Pipeline()
	sent := make([]*driver.Cmd, 0, len(commands))
	for _, command := range commands {
		sent = append(sent, pipe.Do(ctx, r.wrap(command)...))
	}
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	out := make([]reply, 0, len(sent))
	for _, cmd := range sent {
		value, err := found(cmd.Result())
		if _, refused := errors.AsType[driver.Error](err); err != nil && !refused {
			return nil, err
		}
		out = append(out, reply{value, err})
	}
	return out, nil
}

// exec sends a pipeline. Its error is that nothing was sent: the library then says so of the whole and leaves every
// command as if it had succeeded. Else every command has its own.
func exec(ctx context.Context, pipe driver.Pipeliner) error {
	sent, err := pipe.Exec(ctx)
	if slices.ContainsFunc(sent, func(cmd driver.Cmder) bool { return cmd.Err() != nil }) {
		return nil
	}
	return err
}

func found(value any, err error) (any, error) {
	if errors.Is(err, driver.Nil) {
		return nil, nil
	}
	return value, err
}

// list is a reply that must be a list.
func list(value any, err error) ([]any, error) {
	if err != nil || value == nil {
		return nil, err
	}
	values, ok := value.([]any)
	if !ok {
		return nil, errForeign
	}
	return values, nil
}

// number is a reply that must be a whole number.
func number(value any, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	n, ok := value.(int64)
	if !ok {
		return 0, errForeign
	}
	return n, nil
}

// text is a reply that must be a string.
func text(value any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	s, ok := value.(string)
	if !ok {
		return "", errForeign
	}
	return s, nil
}
