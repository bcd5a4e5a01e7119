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
	sendTo    = "bob@example.test"
	notesText = "Measure first, then cut.\n"
)

// noteFiles are the files to read: a run may not read the same one for ever, so each call has its own.
func noteFiles() []string {
	names := []string{"notes.txt"}
	for i := range callWarm + callPairs {
		names = append(names, noteFile(i))
	}
	return names
}

func noteFile(i int) string { return fmt.Sprintf("notes-%d.txt", i) }

// nthRead and nthSend are the arguments of one call of many.
func nthRead(i int) string { return fmt.Sprintf(`{"path":%q}`, noteFile(i)) }

func nthSend(i int) string {
	return fmt.Sprintf(`{"to":%q,"subject":"Figures %d","body":"They are attached."}`, sendTo, i)
}

// register writes the sample files and makes the servers known; but for the remote one each runs as a child of whoever
// calls it.
func (s *site) register(ctx context.Context) error {
	if err := os.MkdirAll(s.folder("files"), 0o700); err != nil {
		return fmt.Errorf("make sample file: %w", err)
	}
	for _, name := range noteFiles() {
		if err := os.WriteFile(filepath.Join(s.folder("files"), name), []byte(notesText), 0o600); err != nil {
			return fmt.Errorf("make sample file: %w", err)
		}
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
	return registry.Register(ctx, s.db.Queries, s.ring, registry.Server{
		ID: remoteID, Name: "remote", Transport: "http", URL: "http://" + s.remote + "/mcp", Trusted: true,
	})
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
