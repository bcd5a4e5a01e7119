package tool

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/tool/addressee"
)

// Executor is the only way to a tool. It is safe for concurrent use by many workers: the ledger decides.
type Executor struct {
	db      *store.DB
	ring    *secret.Ring
	reg     *registry.Registry
	users   *connector.Connections
	log     *slog.Logger
	timeout time.Duration
	expiry  time.Duration

	known      *addressee.Known // whom the operator allows runs to write to
	patterns   *secret.Redactor // what looks like a secret, for audit events and previews
	schemas    schemas
	catalogues sync.Map // run id -> Catalogue; dropped when the run ends

	injector *injector
	direct   gateway // calls outside runs
}

// Options of an executor.
type Options struct {
	Timeout time.Duration // of one call; 60 s when 0
	Expiry  time.Duration // of a question to a person; 7 days when 0
	// Addressees may be written to although a run's instructions do not name them: addresses, @domains, hosts.
	Addressees []string
	// Vault is what users store for servers, Tokens their OAuth credentials. Where one is nil, nothing of it is put into
	// calls.
	Vault  Vault
	Tokens registry.Tokens
}

// NewExecutor makes the executor of a worker.
func NewExecutor(db *store.DB, ring *secret.Ring, reg *registry.Registry, users *connector.Connections, log *slog.Logger, o Options) (*Executor, error) {
	if db == nil || ring == nil || reg == nil || users == nil || log == nil {
		return nil, errors.New("tool: database, key ring, registry, connections and logger are required")
	}
	if o.Timeout <= 0 {
		o.Timeout = 60 * time.Second
	}
	if o.Expiry <= 0 {
		o.Expiry = 7 * 24 * time.Hour
	}
	known, err := addressee.Allow(o.Addressees)
	if err != nil {
		return nil, fault.New(fault.Invalid, "settings: STEWARD_ADDRESSEES_ALLOW: %s", err).WithCode("invalid_settings")
	}
	return &Executor{
		db: db, ring: ring, reg: reg, users: users, log: log, timeout: o.Timeout, expiry: o.Expiry,
		known: known, patterns: secret.NewRedactor(),
		injector: &injector{reg: reg, vault: o.Vault, tokens: o.Tokens, during: o.Timeout},
		direct:   gateway{reads: newRecorder(db, log)},
	}, nil
}

// Expiry is how long a question to a person waits.
func (x *Executor) Expiry() time.Duration { return x.expiry }

// Stamp says which attempt of which activity acts. It goes into audit events, so that they can be
// compared with Temporal's history, and into their keys, so that a Reset's new branch has its own.
type Stamp struct {
	TemporalRunID string `json:"temporal_run_id"`
	ActivityID    string `json:"activity_id"`
	Attempt       int32  `json:"attempt"`
}

// call is one call being worked on.
type call struct {
	in     automation.CallInput
	stamp  Stamp
	row    *store.ToolCall
	tool   Tool
	source source // nil: gone or disabled since the run started

	claimed time.Time // when this attempt asked for its claim
	typed   int       // addressees that the person who approved it brought in

	round    *round          // what the server asked and what people said; nil: nothing yet
	answered *store.Decision // the answer that this attempt takes to the server
	told     time.Time       // when this attempt gave a task its answers; zero: not yet
	tell     func(mcpclient.Progress)
}

// Execute carries out a planned call, or finds out what became of an earlier attempt at it. It returns an
// error only when trying again is right: nothing was sent, or sending twice is allowed. It is idempotent:
// a settled call answers with what was recorded. What the server says of its progress is told as it comes; tell may
// be nil.
func (x *Executor) Execute(ctx context.Context, in automation.CallInput, stamp Stamp, tell func(mcpclient.Progress)) (automation.CallResult, error) {
	c, err := x.load(ctx, in, stamp)
	if err != nil {
		return automation.CallResult{}, err
	}
	c.tell = tell
	switch state := automation.CallState(c.row.State); {
	case state == automation.CallWaiting && c.round != nil:
		return x.goOn(ctx, c)
	case state == automation.CallPlanned, state == automation.CallWaiting:
		return x.claimAndSend(ctx, c)
	case state == automation.CallClaimed && c.row.TaskID != "":
		return x.poll(ctx, c)
	case state == automation.CallClaimed:
		return x.recover(ctx, c)
	case state == automation.CallUnknown:
		if in.Verdict == automation.Retry {
			return x.retryUnknown(ctx, c)
		}
		return x.unknownResult(ctx, c)
	default:
		return settled(c.row), x.stands(ctx, c, "the call is settled already: what is recorded stands")
	}
}

// stands is for a call that is settled, or left to a person, already. After a Reset another Temporal run comes to a
// call of which it has no event yet, after a session has moved another activity: it says that nothing was sent again.
// The key is otherwise that of the claim, so that whoever made the claim, and only lost its answer, says nothing more.
func (x *Executor) stands(ctx context.Context, c *call, why string) error {
	key := c.stamp.TemporalRunID + "/" + audit.ToolClaimed + "/" + claimKey(c.row)
	if c.in.Moved {
		key += "/" + c.stamp.ActivityID
	}
	return audit.Put(ctx, x.db.Queries, audit.Event{
		Chain: automation.AuditChain(c.row.RunID), Kind: audit.ToolRefused, Actor: "worker", Key: key,
		Body: settleBody{
			Stamp: c.stamp, Call: c.row.ID, Step: int(c.row.Step), Tool: c.row.ServerName + "/" + c.row.ToolName,
			State: automation.CallState(c.row.State), Fence: c.row.Fence, Reason: why,
		},
	})
}

func (x *Executor) load(ctx context.Context, in automation.CallInput, stamp Stamp) (*call, error) {
	row, err := x.db.GetCall(ctx, store.GetCallParams{ID: in.ID, RunID: in.RunID})
	if store.IsNoRows(err) {
		return nil, fault.New(fault.NotFound, "no such tool call")
	}
	if err != nil {
		return nil, fmt.Errorf("read tool call: %w", err)
	}
	c := &call{in: in, stamp: stamp, row: row}
	if automation.CallState(row.State).Settled() {
		return c, nil
	}
	cat, err := x.Catalogue(ctx, in.RunID)
	if err != nil {
		return nil, err
	}
	t, ok := cat.Find(row.FunctionName)
	if row.ExecutedBy == byProvider { // perhaps of a tool that is not ours
		c.tool, c.source = t, hosted{}
		c.tool.ServerName, c.tool.Name, c.tool.Class = row.ServerName, row.ToolName, automation.Class(row.Class)
		return c, nil
	}
	if !ok || t.Pin != row.Pin {
		return nil, fault.New(fault.Internal, "the call's tool is not in the run's catalogue")
	}
	c.tool = t
	if c.round, err = x.openRound(row); err != nil {
		return nil, err
	}
	c.source, err = x.sourceOf(ctx, row.Owner, t)
	return c, err
}

// sourceOf finds what a tool is called on; nil if it is gone.
func (x *Executor) sourceOf(ctx context.Context, owner string, t Tool) (source, error) {
	if t.Connection != "" {
		of, own, ok, err := x.users.Lookup(ctx, owner, t.Connection, t.Name)
		if err != nil || !ok {
			return nil, err
		}
		return &connection{connections: x.users, log: x.log, owner: owner, of: of, tool: own}, nil
	}
	row, err := x.reg.Server(ctx, owner, t.Server)
	if err != nil || row == nil {
		return nil, err
	}
	return x.serverSource(owner, row, t), nil
}

// Catalogue reads what a run may call. It never changes after the run has started, so it is kept.
func (x *Executor) Catalogue(ctx context.Context, runID int64) (Catalogue, error) {
	if cat, ok := x.catalogues.Load(runID); ok {
		return cat.(Catalogue), nil
	}
	doc, err := x.db.GetCatalogue(ctx, runID)
	if err != nil {
		return Catalogue{}, fmt.Errorf("read catalogue: %w", err)
	}
	var cat Catalogue
	if err := json.Unmarshal(doc, &cat); err != nil {
		return Catalogue{}, fmt.Errorf("decode catalogue: %w", err)
	}
	x.catalogues.Store(runID, cat)
	return cat, nil
}

// Forget drops what is kept in memory for a finished run.
func (x *Executor) Forget(runID int64) { x.catalogues.Delete(runID) }

func settled(row *store.ToolCall) automation.CallResult {
	return automation.CallResult{State: automation.CallState(row.State), IsError: row.IsError, Bytes: row.ResultBytes}
}

// newID makes a random id of 128 bits or more with a readable prefix.
func newID(prefix string) string { return prefix + rand.Text() }
