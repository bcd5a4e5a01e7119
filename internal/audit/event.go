// Package audit writes and verifies the append-only record of what Steward was asked, decided and did.
// Events of one run form a hash chain; signed checkpoints over all chains leave the database.
package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"steward/internal/store"
)

// Kinds of events. The timeline of a run shows them by these names; they are part of signed history:
// never rename, only add.
const (
	RunAccepted     = "run.accepted"
	RunState        = "run.state"
	RunFinished     = "run.finished"
	CancelRequested = "run.cancel_requested"
	ToolsResolved   = "tools.resolved"
	ModelCalled     = "model.called"   // intent, before the request
	ModelAnswered   = "model.answered" // outcome
	ModelFailed     = "model.failed"   // outcome
	ModelAccepted   = "model.accepted" // the provider works on it in the background, under this id
	ModelFound      = "model.found"    // an accepted request is taken up again instead of making another
	ModelRefused    = "model.refused"  // by a limit, never sent
	ModelDeferred   = "model.deferred" // no turn for now: the run sleeps and asks again
	ModelCompacted  = "model.compacted"
	RunParked       = "run.parked" // waits for what no call of its own can bring: consent, budget, the model
	ToolPlanned     = "tool.planned"
	ToolRefused     = "tool.refused"   // by policy or validation, never sent
	ToolClaimed     = "tool.claimed"   // intent, before anything is sent
	ToolResumed     = "tool.resumed"   // another attempt finds out what became of a claim: nothing is sent again before
	ToolSettled     = "tool.settled"   // outcome: done, failed, unknown, denied, skipped, cancelled
	ToolCalled      = "tool.called"    // intent and outcome of a reading call outside a run, in one
	ToolReleased    = "tool.released"  // outcome: provably not run, may be claimed again
	HostedOffered   = "hosted.offered" // intent, before a request that lets the model's provider call tools
	HostedListed    = "hosted.listed"  // the provider's word on what a server offers
	ToolReported    = "tool.reported"  // the provider's word on a call that it made; nobody here saw it
	ToolDeferred    = "tool.deferred"  // not sent for now: a person must consent first
	ToolPaused      = "tool.paused"    // no outcome yet: the server asks a person something, or works on a task of its own
	ToolPolled      = "tool.polled"    // intent, before the server is asked about its task: nothing is called again
	SessionMoved    = "session.moved"  // another worker opens a stateful server anew for the run: what it kept may be lost
	DecisionAsked   = "decision.asked"
	DecisionMade    = "decision.made"
	PayloadOpened   = "codec.opened"  // a ticket became a browser's session for the codec
	PayloadDecoded  = "codec.decoded" // somebody read Temporal payloads
	KeyCreated      = "apikey.created"
	KeyRevoked      = "apikey.revoked"

	Login               = "login"                // somebody signed in, or was refused
	CredentialGranted   = "credential.granted"   //nolint:gosec // a name: a person has consented
	CredentialRefreshed = "credential.refreshed" //nolint:gosec // a name: new tokens
	CredentialEnded     = "credential.ended"     //nolint:gosec // a name: the provider wants a person's consent again
	CredentialRevoked   = "credential.revoked"   //nolint:gosec // a name: by a person, here

	ConnectionAdded   = "connection.added"   // with a form: a database
	ConnectionRemoved = "connection.removed" // with what was filled in

	ServerAdded     = "server.added"     // an MCP server is registered
	ServerChanged   = "server.changed"   // its settings are others
	ServerRemoved   = "server.removed"   // with everything saved for it
	ToolQuarantined = "tool.quarantined" // a server offers it with another definition than was agreed to
	ToolReviewed    = "tool.reviewed"    // somebody has accepted or rejected that
	ToolOverridden  = "tool.overridden"  // the server's owner says what a tool does

	SecretSet     = "secret.set"
	SecretDeleted = "secret.deleted"

	PackageAccepted = "package.accepted" // intent: install, upgrade or remove
	PackageSettled  = "package.settled"  // outcome: installed, removed, or why it failed

	RingKeyAdded     = "key.added"     // intent, before the key is in the keys file
	RingKeyPromoted  = "key.promoted"  // intent, before it seals
	RingKeyRewrapped = "key.rewrapped" // outcome: values sealed anew
	RingKeyRetired   = "key.retired"   // intent, before it is out of the keys file
)

// Event is one fact. Body must not hold secrets or whole contents: digests and redacted previews.
type Event struct {
	Chain string // automation.AuditChain(run) or automation.AuditSystem
	// Key makes the fact idempotent within its chain. Facts of a workflow or activity start with the
	// Temporal run id: after a Reset the new branch repeats the rest of the key.
	Key   string
	Kind  string
	Actor string // an owner, "apikey:<id>", "worker", "reconciler"
	Body  any
}

// Append writes the event in q's transaction and returns its number, or 0 if a fact with this key is
// already there. The number is the SSE event id of the run's timeline.
func Append(ctx context.Context, q *store.Queries, e Event) (int64, error) {
	body, err := e.Encode()
	if err != nil {
		return 0, err
	}
	seq, err := q.AppendAudit(ctx, store.AppendAuditParams{Chain: e.Chain, EventKey: e.Key, Kind: e.Kind, Actor: e.Actor, Body: body})
	if err != nil {
		return 0, fmt.Errorf("append audit event %s: %w", e.Kind, err)
	}
	return seq, nil
}

// Put is Append for a fact whose number nobody asks for. In a transaction it costs no round trip of its own,
// and an error may come later (store.DB.Tx).
func Put(ctx context.Context, q *store.Queries, e Event) error {
	body, err := e.Encode()
	if err != nil {
		return err
	}
	err = q.PutAudit(ctx, store.PutAuditParams{Chain: e.Chain, EventKey: e.Key, Kind: e.Kind, Actor: e.Actor, Body: body})
	if err != nil {
		return fmt.Errorf("append audit event %s: %w", e.Kind, err)
	}
	return nil
}

// Encode returns the body as it is hashed and stored, and refuses an event that cannot be.
func (e Event) Encode() (string, error) {
	if strings.ContainsRune(e.Key+e.Kind+e.Actor, '\n') { // the line break separates fields in what is hashed
		return "", fmt.Errorf("append audit event %s: line break in key, kind or actor", e.Kind)
	}
	if e.Body == nil {
		return "{}", nil
	}
	body, err := json.Marshal(e.Body) // struct fields in order, map keys sorted
	if err != nil {
		return "", fmt.Errorf("encode audit event %s: %w", e.Kind, err)
	}
	return string(body), nil
}
