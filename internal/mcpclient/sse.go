package mcpclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// sseTransport is the HTTP+SSE transport of 2024-11-05: everything from the server comes in one stream, whose first
// event names the address that our messages are posted to. go-sdk has one too, but its stream ends with the context
// of the handshake, and it tells neither results as they were written nor why a stream ended.
type sseTransport struct {
	url    *url.URL
	client *http.Client
	made   func(*sseConn)
}

// Connect implements mcp.Transport. The stream outlives ctx; its head and its first event do not wait longer.
func (t *sseTransport) Connect(ctx context.Context) (mcp.Connection, error) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, end)
	c, err := t.open(life, end)
	if err == nil && !stop() {
		_ = c.Close()
		err = ctx.Err()
	}
	if err != nil {
		end()
		return nil, err
	}
	t.made(c)
	return c, nil
}

func (t *sseTransport) open(ctx context.Context, end context.CancelFunc) (*sseConn, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("asking for the event stream: %w", err)
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := t.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking for the event stream: %w", err)
	}
	if resp.StatusCode != http.StatusOK || !isStream(resp) {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("asking for the event stream: the answer is %s, and none", resp.Status)
	}
	c := &sseConn{client: t.client, body: resp.Body, end: end, events: newEventReader(resp.Body)}
	if c.endpoint, err = c.first(t.url); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// sseConn implements mcp.Connection.
type sseConn struct {
	client   *http.Client
	endpoint *url.URL
	answers  answers
	events   *eventReader
	body     io.Closer
	end      context.CancelFunc

	mu     sync.Mutex
	closed bool  // by us
	err    error // why reading ended
}

// first reads where to post to. It is the server's word, and what we post holds what its user confided to that
// server: another origin is refused.
func (c *sseConn) first(base *url.URL) (*url.URL, error) {
	e, err := c.events.next()
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the event stream: %w", err)
	case e.name != "endpoint":
		return nil, errors.New("reading the event stream: it does not begin with an endpoint")
	}
	endpoint, err := base.Parse(string(e.data))
	if err != nil {
		return nil, errors.New("reading the event stream: the endpoint is no address")
	}
	if !sameOrigin(endpoint, base) {
		return nil, errors.New("reading the event stream: the endpoint is elsewhere")
	}
	return endpoint, nil
}

// Read implements mcp.Connection. The SDK calls it from one goroutine; Close ends it.
func (c *sseConn) Read(context.Context) (jsonrpc.Message, error) {
	msg, err := c.message()
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.closed { // or it would look as if a caller had given up
			err = net.ErrClosed
		}
		c.err = err
		return nil, err
	}
	c.answers.deliver(msg)
	return msg, nil
}

func (c *sseConn) message() (jsonrpc.Message, error) {
	for {
		e, err := c.events.next()
		switch {
		case err != nil:
			return nil, err
		case e.name != "" && e.name != "message":
			continue
		}
		msg, err := jsonrpc.DecodeMessage(e.data)
		if err != nil {
			return nil, fmt.Errorf("reading the event stream: %w", err)
		}
		if repeats(e.data) {
			return nil, errUnclear
		}
		return msg, nil
	}
}

// Write implements mcp.Connection.
func (c *sseConn) Write(ctx context.Context, msg jsonrpc.Message) error {
	body, err := jsonrpc.EncodeMessage(msg)
	if err != nil {
		return fmt.Errorf("encoding a message: %w", err)
	}
	c.answers.expect(ctx, msg)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("posting a message: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return fmt.Errorf("posting a message: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)); err != nil {
		return fmt.Errorf("posting a message: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("posting a message: the answer is %s", resp.Status)
	}
	return nil
}

// Close implements mcp.Connection.
func (c *sseConn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end()
	return c.body.Close()
}

// SessionID implements mcp.Connection.
func (c *sseConn) SessionID() string { return "" }

// cause is why the connection ended, nil while it stands.
func (c *sseConn) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
