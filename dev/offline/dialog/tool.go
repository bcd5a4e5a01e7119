package dialog

import (
	"encoding/json"
	"path"
	"strings"
)

// Tool is an offered function tool.
type Tool struct {
	Name        string
	Description string
	Parameters  json.RawMessage // JSON schema; parsed only for the tools that matter
}

// Short is the name without the "mcp_<server>__" prefix.
func (t Tool) Short() string {
	if _, short, ok := strings.Cut(t.Name, "__"); ok && short != "" {
		return short
	}
	return t.Name
}

// Pick returns the offered tool that fits one of the globs, which are separated by "|" and matched
// without regard to case. The shortest name wins, then the first in the alphabet: the plain tool
// rather than a special form of it.
func Pick(tools []Tool, globs string) (Tool, bool) {
	var best Tool
	found := false
	for _, glob := range strings.Split(strings.ToLower(globs), "|") {
		for _, tool := range tools {
			if ok, err := path.Match(glob, strings.ToLower(tool.Name)); err != nil || !ok {
				continue
			}
			if !found || shorter(tool.Name, best.Name) {
				best, found = tool, true
			}
		}
		if found {
			return best, true
		}
	}
	return Tool{}, false
}

func shorter(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}
