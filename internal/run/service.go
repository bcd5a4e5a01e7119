package run

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/secret"
	"steward/internal/store"
)

// Service starts, cancels and decides. Every call answers after its own commit; what has to reach
// Temporal is tried at once and otherwise delivered by the reconciler.
type Service struct {
	db       *store.DB
	ring     *secret.Ring
	temporal client.Client
	edits    Editor
	users    *connector.Connections
	log      *slog.Logger
	opts     Options
	starts   *starter
}

// Editor checks what a person writes: arguments that replace the model's, and answers to what a server asks. It is
// tool.Executor's, and a fake in tests of the service alone.
type Editor interface {
	CheckEdit(ctx context.Context, runID int64, row *store.ToolCall, arguments json.RawMessage) (sealed []byte, digest string, err error)
	CheckAnswer(question *store.Decision, content json.RawMessage) (sealed []byte, err error)
}

// Options are the operator's settings.
type Options struct {
	Model           string            // used when a request names none
	Limits          automation.Limits // used for what a request leaves out
	QueueLimit      int               // accepted runs not yet running, beyond which new ones are refused
	InstructionsMax int               // bytes
	HostedMCP       bool              // the model's provider can call MCP servers itself: mode provider
}

// New checks its dependencies. Close waits for starts under way.
func New(db *store.DB, ring *secret.Ring, temporal client.Client, edits Editor, users *connector.Connections, log *slog.Logger, o Options) (*Service, error) {
	if db == nil || ring == nil || temporal == nil || edits == nil || users == nil || log == nil {
		return nil, errors.New("run: database, key ring, Temporal client, editor, connections and logger are required")
	}
	if o.QueueLimit <= 0 || o.InstructionsMax <= 0 || o.Limits.Steps <= 0 || o.Limits.Tokens <= 0 || o.Limits.WallSeconds <= 0 {
		return nil, errors.New("run: queue limit, instruction size and default limits must be positive")
	}
	s := &Service{db: db, ring: ring, temporal: temporal, edits: edits, users: users, log: log, opts: o}
	s.starts = newStarter(s.start)
	return s, nil
}

// Close stops accepting starts and waits for those under way; the reconciler covers the rest.
func (s *Service) Close() { s.starts.close() }

// temporalTimeout bounds one call to Temporal: it is tried again by the reconciler.
const temporalTimeout = 5 * time.Second
