package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/llm"
	"steward/internal/secret"
	"steward/internal/store"
)

// HostedTurn is what one answer of the provider means for the run.
type HostedTurn struct {
	// Calls wait for a person, or for SettleCall to ask one.
	Calls []automation.PlannedCall
	Asked bool // the provider asks for approval: it has to be answered
	Made  bool // the provider reports calls
	// Failed ends the run: the provider did what it was not allowed to, or tools are not what they were.
	Failed automation.Final
}

// RecordHosted writes what the provider reports to have done since the last request, and opens the questions that
// it asks, in the order of its answer and in the transaction that records the turn. Nothing of it was observed:
// rows and events say so. It is idempotent per step and item.
func (x *Executor) RecordHosted(ctx context.Context, q *store.Queries, t Turn, items []llm.HostedItem) (HostedTurn, error) {
	b := hostedBook{x: x, q: q, turn: t, drifted: map[string]string{}}
	var err error
	if b.asked, err = q.ListHostedQuestions(ctx, t.Run.ID); err != nil {
		return b.out, fmt.Errorf("read hosted questions: %w", err)
	}
	items = b.identify(items)
	for _, record := range []struct {
		kind string
		do   func(context.Context, int, llm.HostedItem) error
	}{
		{"list", b.list}, {"call", b.call}, {"question", b.suspect}, {"question", b.question}, // nobody is asked by a run that fails
	} {
		for i, it := range items {
			if it.Kind != record.kind {
				continue
			}
			if err := record.do(ctx, i, it); err != nil {
				return b.out, err
			}
		}
	}
	return b.out, b.missing(ctx)
}

// hostedBook records one answer.
type hostedBook struct {
	x       *Executor
	q       *store.Queries
	turn    Turn
	asked   []*store.ToolCall // questions of the run, oldest first
	drifted map[string]string // why, by label and name
	out     HostedTurn

	questions int // of this answer
}

// identify gives every item an id of its own, by which it is recorded once. A question without one, or with that
// of another, cannot be answered.
func (b *hostedBook) identify(items []llm.HostedItem) []llm.HostedItem {
	items, seen := slices.Clone(items), map[string]bool{}
	for i, it := range items {
		id := Clean(it.ID, maxID)
		if id != it.ID || id == "" || seen[id] {
			id = fmt.Sprintf("item %d", i)
			if it.Kind == "question" {
				b.fail(codeUnapproved, "the model's provider asks for an approval that cannot be answered: it does not say which")
			}
		}
		seen[id], items[i].ID = true, id
	}
	return items
}

// maxID is the longest id of an item that is taken as it is.
const maxID = 200

func driftKey(label, name string) string { return label + "\x00" + name }

// list compares a server's tools with the pins and records both.
func (b *hostedBook) list(ctx context.Context, _ int, it llm.HostedItem) error {
	drift := b.turn.Catalogue.drift(it)
	for i, t := range it.Tools {
		for _, d := range drift {
			if d.Tool == Clean(t.Name, maxToolName) {
				b.drifted[driftKey(it.Server, it.Tools[i].Name)] = d.Reason
			}
		}
	}
	names := make([]string, len(it.Tools))
	for i, t := range it.Tools {
		names[i] = Clean(t.Name, maxToolName)
	}
	return b.x.audit(ctx, b.q, b.turn.Run.ID, b.turn.Stamp, audit.HostedListed, b.key(it.ID), struct {
		Stamp
		Step     int      `json:"step"`
		Server   string   `json:"server"`
		Tools    []string `json:"tools"`
		Drift    []Drift  `json:"drift,omitempty"`
		Reason   string   `json:"reason,omitempty"`
		Evidence string   `json:"evidence"`
	}{b.turn.Stamp, b.turn.Step, Clean(it.Server, maxToolName), names, drift, b.x.words(it.FailureText), reported})
}

// key names a fact about an item of this answer.
func (b *hostedBook) key(item string) string { return fmt.Sprintf("%d/%s", b.turn.Step, item) }

// fail ends the run for the first reason that comes up.
func (b *hostedBook) fail(code, format string, args ...any) {
	if b.out.Failed.State == "" {
		b.out.Failed = automation.Final{State: automation.Failed, Code: code, Message: fmt.Sprintf(format, args...)}
	}
}

// Codes of runs that ended because of what a provider did.
const (
	codeDrift      = "tool_drift"
	codeUnapproved = "hosted_unapproved"
)

// tool finds what an item is about; a tool that is not ours, or not what it was, ends the run.
func (b *hostedBook) tool(it llm.HostedItem) Tool {
	t, ok := b.turn.Catalogue.hosted(it.Server, it.Name)
	if !ok {
		t = Tool{ServerName: Clean(it.Server, maxToolName), Name: Clean(it.Name, maxToolName), Class: automation.Effect}
		t.Function = t.Name
		b.drifted[driftKey(it.Server, it.Name)] = "it is not one of the run's tools"
	}
	if why := b.drifted[driftKey(it.Server, it.Name)]; why != "" {
		b.fail(codeDrift, "the model's provider used %s, which is not what the run started with: %s", t.Label(), why)
	}
	return t
}

// suspect looks whether a question is about a tool that ends the run.
func (b *hostedBook) suspect(_ context.Context, _ int, it llm.HostedItem) error {
	b.tool(it)
	return nil
}

// call records one reported call: the end of one that was approved, or one that needed no approval.
func (b *hostedBook) call(ctx context.Context, position int, it llm.HostedItem) error {
	b.out.Made = true
	t := b.tool(it)
	canonical := canonicalOrText(it.Arguments)
	digest := secret.Digest(canonical)
	if approved := b.approval(it, t, digest); approved != nil {
		return b.settle(ctx, approved, t, it)
	}
	if !t.free(b.turn.Run.Approval) {
		b.fail(codeUnapproved, "the model's provider called %s although nobody had approved this call", t.Label())
	}
	return b.insert(ctx, position, t, it, canonical, digest)
}

// approval finds the call that a person approved and that this one carries out: by the provider's own id of its
// question or, where a compatible server leaves that out, by tool and arguments. Each serves once.
func (b *hostedBook) approval(it llm.HostedItem, t Tool, digest string) *store.ToolCall {
	for _, row := range b.asked {
		named := it.Question == row.ProviderRequest || it.Question == ""
		if named && automation.CallState(row.State) == automation.CallClaimed && row.FunctionName == t.Function && row.Digest == digest {
			return row
		}
	}
	return nil
}

// canonicalOrText is the canonical form of arguments; what is no JSON is kept as text.
func canonicalOrText(arguments string) []byte {
	if arguments == "" {
		arguments = "{}"
	}
	canonical, err := secret.Canonical(json.RawMessage(arguments))
	if err != nil {
		canonical, _ = json.Marshal(arguments) // a string always encodes
	}
	return canonical
}

// words is foreign text that explains something: cleaned, short, without what looks like a secret.
func (x *Executor) words(text string) string { return Clean(x.patterns.Text(text), 300) }
