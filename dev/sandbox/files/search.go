package files

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type searchInput struct {
	Query string `json:"query" jsonschema:"text to find"`
	Path  string `json:"path,omitempty" jsonschema:"folder to search below; the top one if not given"`
}

type searchOutput struct {
	Matches   []match `json:"matches" jsonschema:"by path and line"`
	Truncated bool    `json:"truncated" jsonschema:"whether the search stopped at 100 matches"`
}

type match struct {
	Path string `json:"path"`
	Line int    `json:"line" jsonschema:"from 1"`
	Text string `json:"text" jsonschema:"the line, shortened"`
}

var errEnough = errors.New("enough matches")

// search skips what it cannot read as text.
func (f *folder) search(ctx context.Context, _ *mcp.CallToolRequest, in searchInput) (*mcp.CallToolResult, searchOutput, error) {
	query := strings.ToLower(in.Query)
	if query == "" {
		return nil, searchOutput{}, errors.New("query must not be empty")
	}
	dir, err := clean(in.Path)
	if err != nil {
		return nil, searchOutput{}, err
	}
	out := searchOutput{Matches: []match{}}
	err = fs.WalkDir(f.root.FS(), dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if !d.Type().IsRegular() || strings.HasPrefix(path.Base(name), ".write-") {
			return nil
		}
		text, err := f.text(name)
		if err != nil {
			return nil // not a text file, or gone meanwhile
		}
		number := 0
		for line := range strings.Lines(text) {
			number++
			if !strings.Contains(strings.ToLower(line), query) {
				continue
			}
			if len(out.Matches) == maxMatches {
				out.Truncated = true
				return errEnough
			}
			line = strings.TrimSpace(line)
			out.Matches = append(out.Matches, match{name, number, strings.ToValidUTF8(line[:min(maxLine, len(line))], "")})
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, searchOutput{}, explain(err)
	}
	return nil, out, nil
}
