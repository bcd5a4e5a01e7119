package mcpclient

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/launch/process"
)

// spec is what is started for the server.
func (s *Stdio) spec() process.Spec {
	return process.Spec{Command: s.Command, Args: s.Args, Env: s.Env, Dir: s.Dir, Sandbox: s.Sandbox}
}

// stdioTransport speaks to a child that is running already. It stands in for mcp.CommandTransport, which
// breaks on one banner line, leaves grandchildren behind and hides stderr.
type stdioTransport struct{ conn *stdioConn }

// Connect implements mcp.Transport.
func (t *stdioTransport) Connect(context.Context) (mcp.Connection, error) { return t.conn, nil }

// stdioConn implements mcp.Connection over a child.
type stdioConn struct {
	child *process.Process
	log   *ring // what it says beside the protocol
	lines *lineReader

	writing chan struct{} // one writer at a time; a channel, because writers have deadlines

	answers answers

	mu  sync.Mutex
	err error // why reading ended
}

func newStdioConn(child *process.Process, log *ring) *stdioConn {
	return &stdioConn{child: child, log: log, lines: newLineReader(child.Stdout, log), writing: make(chan struct{}, 1)}
}

// Read implements mcp.Connection. The SDK calls it from one goroutine; Close ends it.
func (c *stdioConn) Read(context.Context) (jsonrpc.Message, error) {
	msg, err := c.lines.next()
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.err = err
		return nil, err
	}
	c.answers.deliver(msg)
	return msg, nil
}

// Write implements mcp.Connection. A call whose line did not go out whole has not run: the newline that
// ends a message is its last byte.
func (c *stdioConn) Write(ctx context.Context, msg jsonrpc.Message) error {
	line, err := jsonrpc.EncodeMessage(msg)
	if err != nil {
		return fmt.Errorf("encoding a message: %w", err)
	}
	line = append(line, '\n')
	w := c.answers.expect(ctx, msg)
	select {
	case c.writing <- struct{}{}:
		defer func() { <-c.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := c.write(ctx, line); err != nil {
		return err
	}
	w.record(func(w *wire) { w.sent = true })
	return nil
}

// write gives up when ctx ends, for a child that stopped reading would block us for good. Half a line on
// the pipe would garble everything after it, so the child goes then.
func (c *stdioConn) write(ctx context.Context, line []byte) error {
	expired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(expired)
		_ = c.child.Stdin.SetWriteDeadline(time.Unix(1, 0))
	})
	n, err := c.child.Stdin.Write(line)
	if !stop() {
		<-expired
		_ = c.child.Stdin.SetWriteDeadline(time.Time{})
	}
	if err == nil {
		return nil
	}
	if n > 0 {
		c.child.Kill()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("writing to the child: %w", err)
}

// Close implements mcp.Connection. It does not wait for the child: some take 370 ms to leave.
func (c *stdioConn) Close() error {
	c.child.Close()
	return nil
}

// SessionID implements mcp.Connection.
func (c *stdioConn) SessionID() string { return "" }

// cause is why the connection ended, nil while it stands.
func (c *stdioConn) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
