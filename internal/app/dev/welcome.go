package dev

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"steward/dev/offline"
	"steward/internal/app"
	"steward/internal/app/client"
	"steward/internal/auth"
)

// The sample is the request of the API's own documentation.
const (
	sampleUser = "demo"
	sampleText = "Find all emails from last week about invoices and summarise them"
	sampleTool = "search_emails"
)

// welcome runs the sample and says where everything is.
func (s *supervisor) welcome(ctx context.Context) error {
	if s.sandbox && !s.NoSample {
		if err := s.runSample(ctx); err != nil {
			s.Log.WarnContext(ctx, "the sample automation did not run", "error", err)
		}
	}
	if ctx.Err() == nil {
		return s.printPlaces()
	}
	return nil
}

func (s *supervisor) runSample(ctx context.Context) error {
	tokens, err := app.Tokens(s.cfg)
	if err != nil {
		return err
	}
	token, err := tokens.Issue(auth.Grant{Subject: sampleUser, Role: auth.User})
	if err != nil {
		return err
	}
	c := client.New("http://"+s.places.api, token)
	id, err := c.Start(ctx, client.Request{MCPServerID: 1, ToolName: sampleTool, Instructions: sampleText})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(s.Out, "\nSample automation, run %d of user %s: %s\n", id, sampleUser, sampleText)
	_, err = c.Follow(ctx, id, s.Out, false)
	return err
}

func (s *supervisor) printPlaces() error {
	tickets, err := app.Tickets(s.cfg)
	if err != nil {
		return err
	}
	ticket, err := tickets.Issue(auth.Grant{Subject: sampleUser, Role: auth.Admin, Scopes: []auth.Scope{auth.CodecDecode}})
	if err != nil {
		return err
	}
	steward := s.command()
	var b strings.Builder
	fmt.Fprintf(&b, "\nAPI          %s  (reference: %[1]s/docs)\n", s.places.publicURL)
	fmt.Fprintf(&b, "Temporal UI  %s/codec/open?ticket=%s\n", s.places.publicURL, ticket.Reveal())
	fmt.Fprintf(&b, "             once, within %s; later: %s codec ticket\n", auth.DefaultTTL, steward)
	if s.places.model != "" {
		fmt.Fprintf(&b, "Model        %s: %s; set OPENAI_API_KEY or OPENAI_BASE_URL for a real one\n", offline.Model, offline.Banner)
	}
	fmt.Fprintf(&b, "Data, logs   %s\n\nTry:\n  %s run --follow 'List the files'\n", s.cfg.Data, steward)
	fmt.Fprintf(&b, "  curl -sS -X POST %s/automation/run -H \"Authorization: Bearer $(%s token --user alice)\" \\\n", s.places.publicURL, steward)
	fmt.Fprintf(&b, "    -H 'Content-Type: application/json' -d '{\"mcp_server_id\":1,\"tool_name\":%q,\"instructions\":%q}'\n", sampleTool, sampleText)
	b.WriteString("\nCtrl-C ends everything.\n")
	_, err = s.Out.Write([]byte(b.String()))
	if err != nil {
		return fmt.Errorf("print addresses: %w", err)
	}
	return nil
}

// command is how a person at this terminal types our program: by its path from here, and with the data
// folder when it is not the usual one.
func (s *supervisor) command() string {
	name := s.exe
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, s.exe); err == nil && !strings.HasPrefix(rel, "..") {
			name = rel
		}
	}
	if data := os.Getenv("STEWARD_DATA"); data != "" {
		return "STEWARD_DATA=" + data + " " + name
	}
	return name
}
