package tool

import (
	"encoding/json"

	"steward/internal/automation"
	"steward/internal/llm"
	"steward/internal/mcpclient"
	"steward/internal/secret"
)

// Drift is a tool that is not, or no longer, what the run's catalogue says.
type Drift struct {
	Tool   string `json:"tool"`
	Reason string `json:"reason"`
}

// drift compares the tools that the provider found on a server with those that were pinned when the run started.
// The provider leaves out what it does not use (titles, output schemas, most annotations), so the pin itself
// cannot be compared: name, description, input schema and the word read-only can.
func (c Catalogue) drift(list llm.HostedItem) []Drift {
	var found []Drift
	for _, t := range list.Tools {
		if why := c.driftOf(list.Server, t); why != "" {
			found = append(found, Drift{Clean(t.Name, maxToolName), why})
		}
	}
	return found
}

func (c Catalogue) driftOf(label string, reported llm.HostedTool) string {
	ours, ok := c.hosted(label, reported.Name)
	if !ok {
		return "it is not one of the run's tools"
	}
	now := Tool{InputSchema: orAnyObject(reported.InputSchema)}
	now.present(mcpclient.Tool{Name: reported.Name, Description: reported.Description})
	switch {
	case now.Flagged != "":
		return now.Flagged
	case now.Description != ours.Description:
		return "its description has changed"
	case !sameSchema(now.InputSchema, ours.InputSchema):
		return "its input schema has changed"
	case ours.Class == automation.Read && reported.ReadOnly != nil && !*reported.ReadOnly:
		return "it is no longer read-only"
	}
	return ""
}

// sameSchema compares what two schemas say, not how they are written. A tool without one takes any object.
func sameSchema(a, b json.RawMessage) bool {
	x, err := secret.Canonical(orAnyObject(a))
	if err != nil {
		return false
	}
	y, err := secret.Canonical(orAnyObject(b))
	return err == nil && string(x) == string(y)
}

func orAnyObject(schema json.RawMessage) json.RawMessage {
	if s := string(schema); s == "" || s == "null" || s == "{}" {
		return json.RawMessage(`{"type":"object"}`)
	}
	return schema
}
