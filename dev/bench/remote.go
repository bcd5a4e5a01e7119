package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/dev/sandbox/files"
)

// remoteID is the files server once more, over HTTP and in a process of its own, as servers elsewhere are reached.
const remoteID = 3

// besideRemote runs a stage while the remote server serves.
func (s *site) besideRemote(ctx context.Context, stage func() error) error {
	p, err := s.startRole(ctx, "remote", s.folder("files"), s.remote)
	if err != nil {
		return err
	}
	return errors.Join(stage(), p.Stop(context.WithoutCancel(ctx)))
}

// serveRemote is the program behind it.
func serveRemote(ctx context.Context, dir, address string) error {
	server, err := files.Server(files.Options{Root: dir})
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true})
	front := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = front.Close() })() // nobody waits for an answer any more
	if err := front.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve files: %w", err)
	}
	return nil
}

// dialRemote opens a session of go-sdk's own with the remote server.
func dialRemote(ctx context.Context, address string) (*mcp.ClientSession, error) {
	transport := &mcp.StreamableClientTransport{
		Endpoint: "http://" + address + "/mcp", HTTPClient: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: burstRate}},
	}
	var session *mcp.ClientSession
	err := awaited(ctx, func() (err error) {
		session, err = mcp.NewClient(&mcp.Implementation{Name: "bare", Version: "1"}, nil).Connect(ctx, transport, nil)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open a session with the remote server: %w", err)
	}
	return session, nil
}
