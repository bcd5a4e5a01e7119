package mcpclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

const sessionHeader = "Mcp-Session-Id"

// SessionStore keeps what it takes to go on with the session of an older HTTP server in another process. The bytes
// name a live session of the owner: whoever has them and the owner's credential can use it. Of two living processes
// only one does: both would number their requests alike, and take each other's answers. What a process has taken or
// saved is its own until it leaves it, or dies.
type SessionStore interface {
	// Take returns a session that is kept for the key and that no other process has, under a number by which it is
	// known from then on; 0 if there is none.
	Take(ctx context.Context, key Key) (id int64, session []byte, err error)
	Save(ctx context.Context, key Key, session []byte) (id int64, err error)
	// Leave lets others have it. It follows each Take and Save.
	Leave(ctx context.Context, id int64) error
	// Delete of what is not kept is no error.
	Delete(ctx context.Context, id int64) error
}

// savedSession is what is kept: the id, and the server's part of the handshake that made it.
type savedSession struct {
	ID         string          `json:"id"`
	Initialize json.RawMessage `json:"initialize"`
	With       *versions       `json:"with,omitempty"` // what opened it; nil: we do not know

	kept int64 // the store's number for it
}

// versions are the parts of a Key by which a SessionStore does not tell sessions apart: none goes on with what its owner
// has replaced.
type versions struct{ Credential, Secrets int64 }

func versionsOf(k Key) versions { return versions{k.Credential, k.Secrets} }

// older reports whether v is what its owner has replaced, in part at least, by other.
func (v versions) older(other versions) bool {
	return v.Credential < other.Credential || v.Secrets < other.Secrets
}

// load returns the session that is kept for the target, nil if there is none that can be used.
func (d *dialer) load(ctx context.Context, t Target) *savedSession {
	if d.sessions == nil || t.HTTP == nil || t.Wire == WireSSE || t.Era == EraModern {
		return nil
	}
	id, raw, err := d.sessions.Take(ctx, t.Key)
	if err != nil {
		d.log.WarnContext(ctx, "mcp session not loaded", "server", t.Name, "error", err)
		return nil
	}
	if id == 0 {
		return nil
	}
	saved := savedSession{kept: id}
	switch with := versionsOf(t.Key); {
	case json.Unmarshal(raw, &saved) != nil, saved.ID == "", isNull(saved.Initialize), saved.With != nil && saved.With.older(with):
		d.forget(ctx, t.Key, id)
	case saved.With == nil || *saved.With == with:
		return &saved
	}
	d.leave(ctx, t.Key, id)
	return nil
}

// save keeps a session that the server knows by an id. 2026-07-28 has none.
func (d *dialer) save(ctx context.Context, t Target, s *session) {
	if d.sessions == nil || s.http == nil || s.sdk.ID() == "" || s.info.Era == EraModern {
		return
	}
	initialize, err := json.Marshal(s.sdk.InitializeResult())
	if err == nil {
		var raw []byte
		with := versionsOf(t.Key)
		if raw, err = json.Marshal(savedSession{ID: s.sdk.ID(), Initialize: initialize, With: &with}); err == nil {
			s.kept, err = d.sessions.Save(ctx, t.Key, raw)
		}
	}
	if err != nil {
		d.log.WarnContext(ctx, "mcp session not kept", "server", t.Name, "error", err)
	}
}

// forget drops what is kept under the number.
func (d *dialer) forget(ctx context.Context, key Key, kept int64) {
	if err := d.sessions.Delete(ctx, kept); err != nil {
		d.log.WarnContext(ctx, "mcp session not forgotten", "server", key.Server, "error", err)
	}
}

// leave lets other processes go on with what is kept under the number.
func (d *dialer) leave(ctx context.Context, key Key, kept int64) {
	if err := d.sessions.Leave(ctx, kept); err != nil {
		d.log.WarnContext(ctx, "mcp session not left to others", "server", key.Server, "error", err)
	}
}

// resume goes on with a kept session. Whether the server still knows it is asked with a ping, so that no call is the
// first to find out. After an error that says gone the session is not to be tried again.
func (d *dialer) resume(ctx context.Context, t Target, noise *ring, saved *savedSession) (*session, *Error) {
	s, err := d.connect(ctx, t, noise, handshake{wire: WireStreamable, version: legacyVersion, saved: saved})
	if err != nil {
		return nil, err
	}
	s.kept = saved.kept
	e, failed := errors.AsType[*Error](s.ping(ctx))
	if failed && (e.Stage != StageResult || e.Status >= http.StatusBadRequest) { // else it knows the session, if not ping
		s.http.leave.Store(true)
		s.close()
		e.Ran, e.Stage = NotRun, StageHandshake
		return nil, e
	}
	return s, nil
}

// gone reports whether the server may have lost the session that we wanted to resume. What refuses us for another
// reason says nothing about it.
func (e *Error) gone() bool {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return false
	}
	return e.Stage == StageHandshake && e.Status < http.StatusInternalServerError && !expired(e.Err)
}

// resumption stands in for the server during a handshake that has been made before: go-sdk has no other way to begin
// with a session id. Everything else goes through, under ids of its own.
type resumption struct {
	next    http.RoundTripper
	saved   *savedSession
	numbers numbers
}

// RoundTrip implements http.RoundTripper.
func (r *resumption) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodPost {
		return r.renumbered(req)
	}
	body, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err != nil {
		return nil, err
	}
	var msg struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	if err := decode(body, &msg); err != nil {
		return nil, fmt.Errorf("reading our own message: %w", err)
	}
	switch msg.Method {
	case methodInitialize:
		resp := invented(req, http.StatusOK, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":%s}`, msg.ID, r.saved.Initialize))
		resp.Header.Set(sessionHeader, r.saved.ID)
		return resp, nil
	case "notifications/initialized":
		return invented(req, http.StatusAccepted, nil), nil
	}
	if body, err = r.numbers.out(body); err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return r.renumbered(req)
}

func (r *resumption) renumbered(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	if err == nil {
		err = r.numbers.answers(resp)
	}
	if err != nil {
		return nil, err
	}
	return resp, nil
}
