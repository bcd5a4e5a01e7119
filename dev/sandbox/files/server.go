// Package files is a sandbox MCP server for one folder of text files.
package files

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/dev/sandbox"
)

// Limits on what goes in and out.
const (
	maxFile    = 1 << 20
	maxEntries = 1000
	maxMatches = 100
	maxLine    = 400
)

// Options say which folder is served. It is made if missing.
type Options struct {
	Root string
}

// folder is the state behind the tools. os.Root keeps every path inside, links included.
type folder struct{ root *os.Root }

// Run serves over stdin and stdout until stdin ends or ctx does.
func Run(ctx context.Context, opts Options) error {
	server, err := Server(opts)
	if err != nil {
		return err
	}
	return sandbox.Serve(ctx, server)
}

// Server returns the server, ready to be connected. The folder stays open as long as the process lives.
func Server(opts Options) (*mcp.Server, error) {
	if opts.Root == "" {
		return nil, errors.New("opening the folder: none given")
	}
	if err := os.MkdirAll(opts.Root, 0o700); err != nil {
		return nil, fmt.Errorf("opening the folder: %w", err)
	}
	root, err := os.OpenRoot(opts.Root)
	if err != nil {
		return nil, fmt.Errorf("opening the folder: %w", err)
	}
	f := &folder{root: root}
	server := sandbox.New("sandbox-files", "Sandbox files", "Text files in one folder. Paths are relative to it.")
	mcp.AddTool(server, &mcp.Tool{
		Name: "list_files", Title: "List files", Description: "List the files and folders in a folder, not deeper.",
		Annotations: readOnly("List files"),
	}, f.list)
	mcp.AddTool(server, &mcp.Tool{
		Name: "read_file", Title: "Read a file", Description: "Read a text file of at most 1 MiB.",
		Annotations: readOnly("Read a file"),
	}, f.read)
	mcp.AddTool(server, &mcp.Tool{
		Name: "write_file", Title: "Write a file",
		Description: "Write a text file of at most 1 MiB, replacing what was there. Missing folders are made.",
		Annotations: &mcp.ToolAnnotations{
			Title: "Write a file", ReadOnlyHint: false, IdempotentHint: true,
			DestructiveHint: new(true), OpenWorldHint: new(false),
		},
	}, f.write)
	mcp.AddTool(server, &mcp.Tool{
		Name: "search_files", Title: "Search files",
		Description: "Find lines that contain a text, in all files below a folder, in any case of letters.",
		Annotations: readOnly("Search files"),
	}, f.search)
	addMakeText(server)
	return server, nil
}

func readOnly(title string) *mcp.ToolAnnotations {
	return &mcp.ToolAnnotations{
		Title: title, ReadOnlyHint: true, IdempotentHint: true,
		DestructiveHint: new(false), OpenWorldHint: new(false),
	}
}
