// Package rotation replaces the keys of a ring while every process goes on serving: a new key is added to
// the keys file (it opens), promoted (it seals), what older keys sealed is sealed anew, and an old key is
// retired. Each step may be cut off anywhere and is then simply taken again.
//
// The keys file says which keys there are; PostgreSQL says which process holds which of them, and so when a
// step is complete. Keys never enter the database.
package rotation

import (
	"context"
	"errors"
	"log/slog"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/config"
	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
)

// The rings by the names that people use.
const (
	Secrets = "secrets" // what PostgreSQL holds sealed
	Codec   = "codec"   // Temporal's payloads
)

// Names lists the rings.
func Names() []string { return []string{Secrets, Codec} }

// Ring is one ring as a process has it.
type Ring struct {
	Name string // Secrets or Codec
	Keys *secret.Ring
	File string // the keys file that it follows; "" when the environment gives its keys
}

// Variable is the setting that holds the list of a ring's keys.
func (r Ring) Variable() string {
	if r.Name == Codec {
		return "STEWARD_CODEC_KEYS"
	}
	return "FERNET_KEYS"
}

// Open makes a ring from settings.
func Open(cfg *config.Config, name string) (Ring, error) {
	r := Ring{Name: name}
	list := cfg.Keys.Secrets
	switch name {
	case Secrets:
	case Codec:
		list = cfg.Keys.Codec
	default:
		return r, fault.New(fault.Invalid, "there is no ring %q: it is secrets or codec", name)
	}
	r.File = cfg.RingFile(r.Variable())
	var err error
	if r.Keys, err = secret.NewRing(list); err != nil {
		return r, fault.Wrap(err, fault.Invalid, "settings: %s: %s", r.Variable(), err).WithCode("invalid_settings")
	}
	return r, nil
}

// Service rotates one ring.
type Service struct {
	db    *store.DB
	ring  Ring
	actor string
	log   *slog.Logger
}

// New makes a Service. actor is whom the audit log names.
func New(db *store.DB, ring Ring, actor string, log *slog.Logger) (*Service, error) {
	if db == nil || ring.Keys == nil || actor == "" || log == nil {
		return nil, errors.New("rotation needs a database, a ring with keys, an actor and a logger")
	}
	return &Service{db: db, ring: ring, actor: actor, log: log}, nil
}

// Keys are those of the ring.
func (s *Service) Keys() *secret.Ring { return s.ring.Keys }

// editable refuses to edit a keys file that the processes do not read.
func (s *Service) editable() error {
	if s.ring.File == "" {
		return fault.New(fault.Conflict, "%s comes from the environment, which goes before the keys file: change it there and restart", s.ring.Variable()).
			WithCode("keys_in_environment")
	}
	return nil
}

// reload takes what the keys file says now.
func (r Ring) reload() (changed bool, err error) {
	list, err := config.ReadRing(r.File, r.Variable())
	if err != nil {
		return false, err
	}
	return r.Keys.Reload(list)
}

// record writes an event of the system's chain. Steps that may be taken again carry the same key again.
func (s *Service) record(ctx context.Context, q *store.Queries, kind, key string, body map[string]any) error {
	body["ring"] = s.ring.Name
	return audit.Put(ctx, q, audit.Event{
		Chain: automation.AuditSystem, Key: kind + "/" + s.ring.Name + "/" + key, Kind: kind, Actor: s.actor, Body: body,
	})
}
