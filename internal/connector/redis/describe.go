package redis

import (
	"context"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
)

const (
	// described is about how many keys one description holds.
	described = 100
	// longestKey is how long one may be that is listed, in bytes.
	longestKey = 1024
)

type describeInput struct {
	Match  string `json:"match,omitempty" jsonschema:"a name of a key or a pattern such as user:*; without it all keys"`
	Cursor string `json:"cursor,omitempty" jsonschema:"next_cursor of an earlier answer to the same question"`
}

type description struct {
	ServerVersion string `json:"server_version,omitempty" jsonschema:"missing if the account may not ask for it"`
	KeyCount      int64  `json:"key_count" jsonschema:"keys of the whole database"`
	Keys          []key  `json:"keys"`
	LeftOut       int    `json:"left_out,omitempty" jsonschema:"keys that the account may not read, or whose names are too long to show"`
	NextCursor    string `json:"next_cursor,omitempty" jsonschema:"for more; missing at the end"`
}

type key struct {
	Key  string `json:"key"`
	Type string `json:"type" jsonschema:"string, list, set, zset, hash, stream"`
	TTL  int64  `json:"ttl_seconds" jsonschema:"-1: it does not expire"`
	Size int64  `json:"size" jsonschema:"bytes of a string, elements of anything else; -1: unknown"`
}

func describeTool() connector.Tool {
	return connector.Typed[describeInput, description]{
		Tool: connector.Tool{
			Name: "DB_DESCRIBE", Title: "Describe {name}", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Lists keys of {name} with their types, sizes and times to live, some 100 at a time, in no order.",
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			p["match"].MaxLength = jsonschema.Ptr(1024)
			p["cursor"].Pattern = "^[0-9]{0,20}$"
		},
		Call: describe,
	}.Build()
}

func describe(ctx context.Context, s *connector.Session, _ connector.Call, in describeInput) (description, error) {
	ctx, cancel := context.WithTimeout(ctx, database.QueryTime)
	defer cancel()
	r, err := linkOf(s).reading(ctx)
	if err != nil {
		return description{}, err
	}
	out, err := r.describe(ctx, in)
	if err != nil {
		return description{}, readFailure(err)
	}
	return out, nil
}

func (r reader) describe(ctx context.Context, in describeInput) (out description, err error) {
	if out.KeyCount, err = number(r.do(ctx, "DBSIZE")); err != nil {
		return out, err
	}
	if out.ServerVersion, err = r.version(ctx); err != nil {
		return out, err
	}
	p := pass{reader: r, name: "SCAN", want: described}
	if in.Match != "" {
		p.filter = []string{"MATCH", in.Match}
	}
	if in.Cursor == "" {
		in.Cursor = "0"
	}
	var names []string
	next, err := p.run(ctx, in.Cursor, 1, func(element []any) error {
		if name, _ := element[0].(string); len(name) <= longestKey {
			names = append(names, name)
		} else {
			out.LeftOut++
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	if next != "0" {
		out.NextCursor = next
	}
	out.Keys, err = r.keys(ctx, names)
	out.LeftOut += len(names) - len(out.Keys)
	return out, err
}

// version is that of the server; empty if the account may not ask.
func (r reader) version(ctx context.Context) (string, error) {
	info, err := text(r.do(ctx, "INFO", "server"))
	if isCode(err, "NOPERM") || isCode(err, "ERR") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return member(info, "redis_version"), nil
}

// member is one line of what INFO says, empty if it is not there.
func member(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// unmeasured is the size of what has none that we know.
const unmeasured = -1

// sizes are the commands that measure a value, by its type.
var sizes = map[string]string{
	"string": "STRLEN", "list": "LLEN", "set": "SCARD", "zset": "ZCARD", "hash": "HLEN", "stream": "XLEN",
}

// keys describes keys in two round trips. What has gone meanwhile is left out, and what the account
// may not read.
func (r reader) keys(ctx context.Context, names []string) ([]key, error) {
	var ask [][]string
	for _, name := range names {
		ask = append(ask, []string{"TYPE", name}, []string{"TTL", name})
	}
	replies, err := r.all(ctx, ask...)
	if err != nil {
		return nil, err
	}
	found, measure := []key{}, [][]string{}
	for i, name := range names {
		kind, noKind := text(replies[2*i].get())
		ttl, noTTL := number(replies[2*i+1].get())
		if noKind != nil || noTTL != nil || kind == "none" {
			continue
		}
		found = append(found, key{Key: named(name), Type: kind, TTL: ttl, Size: unmeasured})
		by, ok := sizes[kind]
		if !ok { // a type that a module brings
			by = "PING"
		}
		measure = append(measure, []string{by, name})
	}
	lengths, err := r.all(ctx, measure...)
	if err != nil {
		return nil, err
	}
	for i := range found {
		if size, err := number(lengths[i].get()); err == nil {
			found[i].Size = size
		}
	}
	return found, nil
}
