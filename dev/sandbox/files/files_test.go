package files_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"steward/dev/sandbox/files"
	"steward/internal/mcpclient"
)

// TestMain turns the test binary into the server: tests talk to a real child.
func TestMain(m *testing.M) {
	if len(os.Args) < 3 || os.Args[1] != "serve" {
		os.Exit(m.Run())
	}
	if err := files.Run(context.Background(), files.Options{Root: os.Args[2]}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type server struct {
	root   string
	pool   *mcpclient.Pool
	target mcpclient.Target
	tools  map[string]mcpclient.Tool
}

func start(t *testing.T) *server {
	t.Helper()
	s := &server{root: filepath.Join(t.TempDir(), "root"), tools: map[string]mcpclient.Tool{}}
	var err error
	s.pool, err = mcpclient.New(mcpclient.Options{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, s.pool.Close(ctx))
	})
	s.target = mcpclient.Target{Name: "files", Stdio: &mcpclient.Stdio{Command: os.Args[0], Args: []string{"serve", s.root}}}
	tools, err := s.pool.Tools(t.Context(), s.target)
	require.NoError(t, err)
	for _, tool := range tools {
		s.tools[tool.Name] = tool
	}
	return s
}

type args = map[string]any

func (s *server) call(t *testing.T, tool string, in args) (*mcpclient.Result, error) {
	t.Helper()
	encoded, err := json.Marshal(in)
	require.NoError(t, err)
	return s.pool.Call(t.Context(), s.target, mcpclient.Call{Tool: tool, Arguments: encoded})
}

// use expects an answer that fits the tool's own output schema.
func use[T any](t *testing.T, s *server, tool string, in args) T {
	t.Helper()
	res, err := s.call(t, tool, in)
	require.NoError(t, err)
	require.False(t, res.IsError, res.Text())
	var schema jsonschema.Schema
	require.NoError(t, json.Unmarshal(s.tools[tool].OutputSchema, &schema))
	resolved, err := schema.Resolve(nil)
	require.NoError(t, err)
	var value any
	require.NoError(t, json.Unmarshal(res.Structured, &value))
	require.NoError(t, resolved.Validate(value))
	var out T
	require.NoError(t, json.Unmarshal(res.Structured, &out))
	return out
}

func (s *server) refuses(t *testing.T, tool string, in args) string {
	t.Helper()
	res, err := s.call(t, tool, in)
	require.NoError(t, err)
	require.True(t, res.IsError, "%s %v", tool, in)
	return res.Text()
}

type content struct{ Path, Text string }

type listing struct {
	Entries []struct {
		Path   string
		Folder bool
		Size   int64
	}
	Truncated bool
}

type matches struct {
	Matches []struct {
		Path string
		Line int
		Text string
	}
	Truncated bool
}

func TestDefinitions(t *testing.T) {
	t.Parallel()
	s := start(t)
	got := map[string][4]bool{}
	for name, tool := range s.tools {
		got[name] = [4]bool{*tool.ReadOnly, *tool.Destructive, *tool.Idempotent, *tool.OpenWorld}
		require.NotEmpty(t, tool.Title)
		require.NotNil(t, tool.OutputSchema)
	}
	read := [4]bool{true, false, true, false}
	require.Equal(t, map[string][4]bool{ // read-only, destructive, idempotent, open world
		"list_files": read, "read_file": read, "search_files": read, "make_text": read,
		"write_file": {false, true, true, false},
	}, got)
}

func TestWriteReadListSearch(t *testing.T) {
	t.Parallel()
	s := start(t)
	for range 2 { // idempotent
		use[content](t, s, "write_file", args{"path": "/notes/a.txt", "text": "first\nSECOND line\n"})
	}
	use[content](t, s, "write_file", args{"path": "b.txt", "text": "a second file"})
	require.Equal(t, content{"notes/a.txt", "first\nSECOND line\n"}, use[content](t, s, "read_file", args{"path": "notes/../notes/a.txt"}))

	list := use[listing](t, s, "list_files", args{})
	require.Len(t, list.Entries, 2)
	require.Equal(t, "b.txt", list.Entries[0].Path)
	require.EqualValues(t, 13, list.Entries[0].Size)
	require.True(t, list.Entries[1].Folder)
	require.Len(t, use[listing](t, s, "list_files", args{"path": "notes"}).Entries, 1)

	hits := use[matches](t, s, "search_files", args{"query": "second"})
	require.Len(t, hits.Matches, 2)
	require.Equal(t, "b.txt", hits.Matches[0].Path)
	require.Equal(t, 2, hits.Matches[1].Line)
	require.Equal(t, "SECOND line", hits.Matches[1].Text)
	require.Empty(t, use[matches](t, s, "search_files", args{"query": "second", "path": "notes"}).Matches[1:])

	use[content](t, s, "write_file", args{"path": "many.txt", "text": strings.Repeat("needle\n", 200)})
	hits = use[matches](t, s, "search_files", args{"query": "needle"})
	require.Len(t, hits.Matches, 100)
	require.True(t, hits.Truncated)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := start(t)
	outside := filepath.Join(filepath.Dir(s.root), "secret.txt")
	require.NoError(t, os.WriteFile(outside, []byte("hidden"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(s.root, "link.txt")))
	require.NoError(t, os.Symlink(filepath.Dir(s.root), filepath.Join(s.root, "up")))
	require.NoError(t, os.WriteFile(filepath.Join(s.root, "binary"), []byte{0xff, 0xfe}, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(s.root, "large"), make([]byte, 1<<20+1), 0o600))
	for _, path := range []string{"../secret.txt", "a/../../secret.txt", "link.txt", "up/secret.txt", "binary", "large", "missing", "."} {
		text := s.refuses(t, "read_file", args{"path": path})
		require.NotContains(t, text, s.root, path)
	}
	for _, path := range []string{"../new.txt", "up/new.txt", ".", ""} {
		s.refuses(t, "write_file", args{"path": path, "text": "x"})
	}
	s.refuses(t, "write_file", args{"path": "x", "text": strings.Repeat("x", 1<<20+1)})
	s.refuses(t, "list_files", args{"path": "up"})
	s.refuses(t, "search_files", args{"query": ""})
	s.refuses(t, "search_files", args{"query": "hidden", "path": ".."})
	require.Empty(t, use[matches](t, s, "search_files", args{"query": "hidden"}).Matches)
	require.NoFileExists(t, filepath.Join(filepath.Dir(s.root), "new.txt"))

	use[content](t, s, "write_file", args{"path": "link.txt", "text": "mine"}) // replaces the link, not its target
	kept, err := os.ReadFile(outside)
	require.NoError(t, err)
	require.Equal(t, "hidden", string(kept))
}

func TestMakeText(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, kilobytes := range []int{1, 100, 2048} {
		res, err := s.call(t, "make_text", args{"kilobytes": kilobytes, "seed": 7})
		require.NoError(t, err)
		require.Equal(t, files.Text(kilobytes, 7), res.Text())
	}
	require.NotEqual(t, files.Text(1, 7), files.Text(1, 8))
	s.refuses(t, "make_text", args{"kilobytes": 16<<10 + 1})

	_, err := s.call(t, "make_text", args{"kilobytes": 11 << 10})
	require.ErrorIs(t, err, mcpclient.ErrTooLarge)
	_, err = s.call(t, "make_text", args{"kilobytes": 1})
	require.NoError(t, err)
}
