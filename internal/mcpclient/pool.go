package mcpclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Options configure a Pool. Log is required; the rest has defaults.
type Options struct {
	Log         *slog.Logger
	IdleClose   time.Duration // an unused session is closed after this long; default 5 minutes
	CallTimeout time.Duration // for requests whose context has no deadline; default 60 seconds
	// MaxSessions are open at once, over all owners; default 256. One owner has a quarter of them at most, so that
	// nobody, with servers that never answer, say, shuts the others out. What has no owner counts as one.
	MaxSessions int
	// OnSeen hears what every newly opened session found out, before its first use.
	OnSeen func(context.Context, Key, Negotiated)
	// OnState hears how the sessions of a key fare; why is set for StateError. It is called one at a time for each
	// session, and must not wait for the pool.
	OnState func(ctx context.Context, key Key, state State, why error)
	// Sessions keeps the sessions of older HTTP servers beyond this process; nil: they end with it.
	Sessions SessionStore
}

// Pool keeps sessions to servers and lends them to calls. It is safe for concurrent use.
type Pool struct {
	opts   Options
	dialer dialer
	kill   context.CancelFunc // ends every child
	tasks  sync.WaitGroup     // dials, open and closing sessions, the sweeper
	life   context.Context    // ends when Close begins
	quit   context.CancelFunc

	mu     sync.Mutex
	slots  map[Key]*slot
	open   int            // sessions being dialled, in use, idle or closing
	shares map[string]int // open, by owner
}

// New starts an empty pool. Close must be called.
func New(opts Options) (*Pool, error) {
	if opts.Log == nil {
		return nil, errors.New("mcpclient: a log is required")
	}
	if opts.IdleClose <= 0 {
		opts.IdleClose = 5 * time.Minute
	}
	if opts.CallTimeout <= 0 {
		opts.CallTimeout = time.Minute
	}
	if opts.MaxSessions <= 0 {
		opts.MaxSessions = 256
	}
	children, kill := context.WithCancel(context.Background())
	life, quit := context.WithCancel(children)
	p := &Pool{
		opts: opts, dialer: dialer{children: children, log: opts.Log, sessions: opts.Sessions}, kill: kill,
		life: life, quit: quit, slots: map[Key]*slot{}, shares: map[string]int{},
	}
	p.tasks.Go(p.sweepRegularly)
	return p, nil
}

// Tools returns the server's tools in its own order, from a cache that honours the server's ttl and its
// notifications of change. The slice is shared: do not change it. Every error is an *Error.
func (p *Pool) Tools(ctx context.Context, t Target) ([]Tool, error) {
	return p.ToolsWithin(ctx, t, maxToolTTL)
}

// ToolsWithin is Tools, from a list fetched no longer ago than age, whatever the server says about its ttl.
func (p *Pool) ToolsWithin(ctx context.Context, t Target, age time.Duration) (tools []Tool, err error) {
	err = p.use(ctx, t, "tools", func(ctx context.Context, s *session) error {
		tools, err = s.list(ctx, age)
		return err
	})
	return tools, err
}

// Call uses a tool once. When the request provably did not run because the session it found had died, it
// is sent again on a new one; otherwise never. Every error is an *Error.
func (p *Pool) Call(ctx context.Context, t Target, c Call) (res *Result, err error) {
	if args := bytes.TrimSpace(c.Arguments); len(args) > 0 && (args[0] != '{' || !json.Valid(args)) {
		err := errors.New("the arguments are not a JSON object")
		return nil, &Error{Op: "call", Server: t.Name, Ran: NotRun, Stage: StageSend, Err: err}
	}
	err = p.use(ctx, t, "call", func(ctx context.Context, s *session) error {
		res, err = s.call(ctx, c)
		if e, ok := errors.AsType[*Error](err); ok && e.Code == mcp.CodeHeaderMismatch && s.refreshes(ctx) {
			res, err = s.call(ctx, c)
		}
		return err
	})
	return res, err
}

// Ping opens a session if there is none and asks the server for a sign of life. A session that gives none
// in time is not used again.
func (p *Pool) Ping(ctx context.Context, t Target) (info Negotiated, err error) {
	err = p.use(ctx, t, "ping", func(ctx context.Context, s *session) error {
		info = s.info
		err := s.ping(ctx)
		if err != nil && errors.Is(err, context.DeadlineExceeded) {
			p.retire(s)
		}
		return err
	})
	return info, err
}

// Logs returns the last lines that the key's child wrote to stderr, and to stdout beside the protocol,
// oldest first. They outlive the child by Options.IdleClose.
func (p *Pool) Logs(key Key) []string {
	p.mu.Lock()
	sl := p.slots[key]
	p.mu.Unlock()
	if sl == nil {
		return nil
	}
	return sl.noise.tail()
}

// Close takes no more requests and waits until those under way and every child have ended, or until ctx
// ends: then the children left are killed.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	p.quit()
	for _, sl := range p.slots {
		if sl.session != nil {
			p.retireLocked(sl.session)
		}
	}
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.tasks.Wait()
	}()
	select {
	case <-done:
		p.kill()
		return nil
	case <-ctx.Done():
		p.kill()
		return ctx.Err()
	}
}

// use runs f on the target's session.
func (p *Pool) use(ctx context.Context, t Target, op string, f func(context.Context, *session) error) error {
	if err := t.validate(); err != nil {
		return &Error{Op: op, Server: t.Name, Ran: NotRun, Stage: StageStart, Err: err}
	}
	if limit := p.limit(ctx, t); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = withStopwatch(ctx, limit)
		defer cancel()
	}
	for {
		s, fresh, dialErr := p.acquire(ctx, t)
		if dialErr != nil {
			e := *dialErr // shared by everybody who waited for the same dial
			e.Op = op
			e.timedOut(ctx)
			return &e
		}
		err := f(ctx, s)
		e, failed := errors.AsType[*Error](err)
		broken := false
		if failed {
			e.timedOut(ctx)
			broken = s.brokenBy(e)
		}
		if broken {
			p.retire(s)
			if e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound {
				p.forget(ctx, s)
			}
		}
		p.release(s)
		if !broken || fresh || !e.repeatable() {
			return err
		}
	}
}

// limit is how long a request may take; 0: as long as its context lets it.
func (p *Pool) limit(ctx context.Context, t Target) time.Duration {
	if t.Timeout > 0 {
		return t.Timeout
	}
	if _, ok := ctx.Deadline(); ok {
		return 0
	}
	return p.opts.CallTimeout
}

// repeatable reports whether the request may go out on a new session, and that may help: a call only if it provably
// did not run, a question always.
func (e *Error) repeatable() bool {
	return e.Status != http.StatusUnauthorized && (e.Ran == NotRun || e.Op != "call")
}
