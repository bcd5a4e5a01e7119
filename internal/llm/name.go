package llm

import (
	"crypto/sha1" //nolint:gosec // a short label that tells equal names apart, not a protection
	"encoding/hex"
	"strconv"
	"strings"
)

const (
	maxName   = 64 // limit of the Responses API
	suffixLen = 9  // "_" and 8 hex digits
)

// FunctionName is the name under which a server's tool is offered to the model: mcp_<server>__<tool>,
// at most 64 of [A-Za-z0-9_-], with a digest at its end when it would be too long or is in taken. The
// result is added to taken. The name is never parsed back: keep the map from name to tool.
func FunctionName(server, tool string, taken map[string]bool) string {
	name := "mcp_" + plain(server) + "__" + plain(tool)
	if len(name) <= maxName && !taken[name] {
		taken[name] = true
		return name
	}
	stem := name[:min(len(name), maxName-suffixLen)]
	for n := 0; ; n++ {
		seed := server + "\x00" + tool
		if n > 0 { // the same pair twice, or one chance in 4 billion
			seed += "\x00" + strconv.Itoa(n)
		}
		sum := sha1.Sum([]byte(seed)) //nolint:gosec // see the import
		name = stem + "_" + hex.EncodeToString(sum[:4])
		if !taken[name] {
			taken[name] = true
			return name
		}
	}
}

// plain replaces every character the API does not allow in a name by an underscore.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '_'
	}, s)
}
