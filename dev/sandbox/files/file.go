package files

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type listInput struct {
	Path string `json:"path,omitempty" jsonschema:"folder to list; the top one if not given"`
}

type listOutput struct {
	Entries   []entry `json:"entries" jsonschema:"by name"`
	Truncated bool    `json:"truncated" jsonschema:"whether there were more than 1000"`
}

type entry struct {
	Path     string    `json:"path"`
	Folder   bool      `json:"folder"`
	Size     int64     `json:"size" jsonschema:"bytes"`
	Modified time.Time `json:"modified"`
}

type readInput struct {
	Path string `json:"path"`
}

type readOutput struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

type writeInput struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

type writeOutput struct {
	Path string `json:"path"`
	Size int    `json:"size" jsonschema:"bytes"`
}

func (f *folder) list(_ context.Context, _ *mcp.CallToolRequest, in listInput) (*mcp.CallToolResult, listOutput, error) {
	dir, err := clean(in.Path)
	if err != nil {
		return nil, listOutput{}, err
	}
	found, err := fs.ReadDir(f.root.FS(), dir)
	if err != nil {
		return nil, listOutput{}, explain(err)
	}
	out := listOutput{Entries: []entry{}, Truncated: len(found) > maxEntries}
	for _, d := range found[:min(maxEntries, len(found))] {
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone meanwhile
		}
		if err != nil {
			return nil, listOutput{}, explain(err)
		}
		out.Entries = append(out.Entries, entry{path.Join(dir, d.Name()), d.IsDir(), info.Size(), info.ModTime().UTC()})
	}
	return nil, out, nil
}

func (f *folder) read(_ context.Context, _ *mcp.CallToolRequest, in readInput) (*mcp.CallToolResult, readOutput, error) {
	name, err := clean(in.Path)
	if err != nil {
		return nil, readOutput{}, err
	}
	text, err := f.text(name)
	if err != nil {
		return nil, readOutput{}, err
	}
	return nil, readOutput{Path: name, Text: text}, nil
}

// text reads a whole text file.
func (f *folder) text(name string) (string, error) {
	file, err := f.root.Open(name)
	if err != nil {
		return "", explain(err)
	}
	defer func() { _ = file.Close() }() // only read
	raw, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return "", explain(err)
	case len(raw) > maxFile:
		return "", errors.New("the file is larger than 1 MiB")
	case !utf8.Valid(raw):
		return "", errors.New("the file is not text")
	}
	return string(raw), nil
}

// write makes the file appear whole or not at all.
func (f *folder) write(_ context.Context, _ *mcp.CallToolRequest, in writeInput) (*mcp.CallToolResult, writeOutput, error) {
	if len(in.Text) > maxFile {
		return nil, writeOutput{}, errors.New("the text is larger than 1 MiB")
	}
	name, err := clean(in.Path)
	if err != nil {
		return nil, writeOutput{}, err
	}
	if name == "." {
		return nil, writeOutput{}, errors.New("path must name a file")
	}
	if dir := path.Dir(name); dir != "." {
		if err := f.root.MkdirAll(dir, 0o700); err != nil {
			return nil, writeOutput{}, explain(err)
		}
	}
	tmp := path.Join(path.Dir(name), ".write-"+rand.Text())
	if err := f.root.WriteFile(tmp, []byte(in.Text), 0o600); err != nil {
		return nil, writeOutput{}, explain(err)
	}
	if err := f.root.Rename(tmp, name); err != nil {
		return nil, writeOutput{}, explain(errors.Join(err, f.root.Remove(tmp)))
	}
	return nil, writeOutput{Path: name, Size: len(in.Text)}, nil
}

// clean makes a path relative to the folder; "/a" means "a". os.Root sees to it that links stay inside too.
func clean(name string) (string, error) {
	name = path.Clean(strings.TrimLeft(name, "/"))
	if !filepath.IsLocal(name) {
		return "", errors.New("the path leads out of the folder")
	}
	return name, nil
}

// explain turns a file error into one without the path of this machine.
func explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file or folder")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("access is not allowed")
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s failed: %w", e.Op, e.Err)
	}
	return err
}
