package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/dev/sandbox/files"
	"steward/dev/sandbox/mailbox"
	"steward/internal/registry"
)

// The sandbox servers, by id: a read and an effect.
const (
	filesID   = 1
	mailboxID = 2
)

// What the stages call.
const (
	readTool  = "read_file"
	readArgs  = `{"path":"notes.txt"}`
	sendTool  = "send_email"
	sendArgs  = `{"to":"bob@example.test","subject":"Figures","body":"They are attached."}`
	notesText = "Measure first, then cut.\n"
)

// register writes the sample file and makes both servers known; each runs as a child of whoever calls it.
func (s *site) register(ctx context.Context) error {
	if err := os.MkdirAll(s.folder("files"), 0o700); err != nil {
		return fmt.Errorf("make sample file: %w", err)
	}
	if err := os.WriteFile(filepath.Join(s.folder("files"), "notes.txt"), []byte(notesText), 0o600); err != nil {
		return fmt.Errorf("make sample file: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	for id, role := range map[int64]string{filesID: "files", mailboxID: "mailbox"} {
		err := registry.Register(ctx, s.db.Queries, s.ring, registry.Server{
			ID: id, Name: role, Transport: "stdio", Command: self, Args: []string{role, s.folder(role)}, Trusted: true,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *site) folder(role string) string { return filepath.Join(s.data, role) }

// serveSandbox is the program behind a registered server.
func serveSandbox(ctx context.Context, role, dir string) error {
	if role == "files" {
		return files.Run(ctx, files.Options{Root: dir})
	}
	return mailbox.Run(ctx, mailbox.Options{Mail: filepath.Join(dir, "mail"), Outbox: filepath.Join(dir, "outbox")})
}

// dialSandbox opens a session of go-sdk's own with a sandbox server in a child of this process: the bare way.
func dialSandbox(ctx context.Context, role, dir string) (*mcp.ClientSession, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	child := exec.Command(self, role, dir) //nolint:gosec,noctx // G204: this program; Close ends it
	session, err := mcp.NewClient(&mcp.Implementation{Name: "bare", Version: "1"}, nil).
		Connect(ctx, &mcp.CommandTransport{Command: child}, nil)
	if err != nil {
		return nil, fmt.Errorf("open a bare session: %w", err)
	}
	return session, nil
}
