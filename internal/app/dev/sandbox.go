package dev

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"steward/dev/sandbox/mailbox"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
)

// sandboxServers are the bundled MCP servers. The mailbox is server 1: the examples of the API's
// documentation then work as they are written.
func (s *supervisor) sandboxServers() []registry.Server {
	folder := func(name string) string { return filepath.Join(s.cfg.Data, name) }
	return []registry.Server{
		{
			ID: 1, Name: "mailbox", Description: "Sandbox mailbox: a folder of mails and an outbox folder.", Transport: "stdio", Trusted: true,
			Command: s.exe, Args: []string{"sandbox", "mailbox", "--mail", folder("mailbox"), "--outbox", folder("outbox")},
		},
		{
			ID: 2, Name: "files", Description: "Sandbox files: one folder of text files.", Transport: "stdio", Trusted: true,
			Command: s.exe, Args: []string{"sandbox", "files", "--root", folder("files")},
		},
	}
}

// registerSandbox writes the sample mails, new at each start because they speak of last week, and
// registers the servers. A database that has other servers under these numbers is left alone.
func (s *supervisor) registerSandbox(ctx context.Context) error {
	if err := mailbox.WriteSample(filepath.Join(s.cfg.Data, "mailbox"), time.Now()); err != nil {
		return err
	}
	for _, own := range []string{"outbox", "files"} { // a server may change the folders that it is given, and make none beside them
		if err := os.MkdirAll(filepath.Join(s.cfg.Data, own), 0o700); err != nil {
			return fmt.Errorf("make folder of the sandbox: %w", err)
		}
	}
	ring, err := secret.NewRing(s.cfg.Keys.Secrets)
	if err != nil {
		return fmt.Errorf("FERNET_KEYS: %w", err)
	}
	db, err := store.Open(ctx, s.stack.DatabaseURL, 1)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Tx(ctx, func(q *store.Queries) error {
		for _, server := range s.sandboxServers() {
			known, err := q.GetServer(ctx, store.GetServerParams{ID: server.ID})
			if err != nil && !store.IsNoRows(err) {
				return fmt.Errorf("read server %d: %w", server.ID, err)
			}
			if err == nil && known.Name != server.Name {
				s.Log.WarnContext(ctx, "the database has a server of its own under this number: no sandbox, no sample", "id", server.ID)
				return nil
			}
			if err := registry.Register(ctx, q, ring, server); err != nil {
				return err
			}
		}
		s.sandbox = true
		return nil
	})
}
