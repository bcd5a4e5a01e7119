package tool

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"steward/internal/mcpclient"
	"steward/internal/registry"
	"steward/internal/store"
)

// describe turns an offered tool into one of the catalogue; probe-only tools are not for the model. What a tool
// says of itself is foreign text too: the model sees what a person would, and what was hidden is flagged.
func describe(s *store.MCPServer, o registry.Offered) (Tool, bool, error) {
	t := Tool{
		Server: s.ID, ServerName: s.Name, Name: o.Name, InputSchema: o.InputSchema, OutputSchema: o.OutputSchema, Pin: o.Pin, Class: classify(o),
		// What a server returns may be anybody's words about anything, unless an admin trusts it to know better.
		Untrusted: !s.Trusted || o.OpenWorld == nil || *o.OpenWorld, Private: true, Child: s.Transport == "stdio",
		Timeout: cmp.Or(o.Override.Timeout, time.Duration(s.TimeoutMs)*time.Millisecond),
	}
	if len(t.InputSchema) == 0 {
		t.InputSchema = json.RawMessage(`{"type":"object"}`)
	}
	var err error
	if t.InputSchema, t.Secrets, err = Conceal(t.InputSchema, takesToken(s)); err != nil {
		return Tool{}, false, err
	}
	t.present(o.Tool)
	if !s.Trusted {
		return t, true, nil
	}
	if doc, ok := o.Meta[metaProbe]; ok {
		if err := json.Unmarshal(doc, &t.Probe); err != nil {
			return t, false, fmt.Errorf("%s of tool %s: %w", metaProbe, o.Name, err)
		}
	}
	if doc, ok := o.Meta[metaReceivers]; ok {
		if err := json.Unmarshal(doc, &t.Addressees); err != nil {
			return t, false, fmt.Errorf("%s of tool %s: %w", metaReceivers, o.Name, err)
		}
	}
	return t, string(o.Meta[metaProbeOnly]) != "true", nil
}

// usualName is what MCP wants the name of a tool to be made of (2026-07-28, tools: names).
var usualName = regexp.MustCompile(`^[A-Za-z0-9_./-]*$`)

// present sets what the model and people read.
func (t *Tool) present(o mcpclient.Tool) {
	var where []string
	seen := func(part, text string, limit int) string {
		shown, hidden := legible(text)
		if without := forged.ReplaceAllString(shown, ""); without != shown {
			shown, hidden = without, true
		}
		if hidden {
			where = append(where, part)
		}
		return cut(shown, limit)
	}
	t.Title, t.Description = seen("title", o.Title, 200), seen("description", o.Description, 4096)
	var hidden bool
	if t.InputSchema, hidden = legibleSchema(t.InputSchema); hidden {
		where = append(where, "input schema")
	}
	if len(where) > 0 {
		t.Flagged = "text was hidden in its " + strings.Join(where, ", ")
	}
	if !usualName.MatchString(o.Name) {
		t.Flagged = strings.TrimPrefix(t.Flagged+"; its name is made of unusual characters", "; ")
	}
}
