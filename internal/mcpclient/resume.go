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
// name a live session of the owner: whoever has them and the owner's credential can use it.
type SessionStore interface {
	// Load returns nil if nothing is kept.
	Load(ctx context.Context, key Key) ([]byte, error)
	Save(ctx context.Context, key Key, session []byte) error
	// Delete of what is not kept is no error.
	Delete(ctx context.Context, key Key) error
}

// savedSession is what is kept: the id, and the server's part of the handshake that made it.
type savedSession struct {
	ID         string          `json:"id"`
	Initialize json.RawMessage `json:"initialize"`
	With       *versions       `json:"with,omitempty"` // what opened it; nil: we do not know
}

// versions are the parts of a Key by which a SessionStore does not tell sessions apart: only one is kept, and none goes
// on with what its owner has replaced.
type versions struct{ Credential, Secrets int64 }

func versionsOf(k Key) versions { return versions{k.Credential, k.Secrets} }

// load returns the session that is kept for the target, nil if there is none that can be used.
func (d *dialer) load(ctx context.Context, t Target) *savedSession {
	if d.sessions == nil || t.HTTP == nil || t.Wire == WireSSE || t.Era == EraModern {
		return nil
	}
	return d.kept(ctx, t.Key)
}

// kept returns what is kept for the key, nil if there is nothing that can be used.
func (d *dialer) kept(ctx context.Context, key Key) *savedSession {
	raw, err := d.sessions.Load(ctx, key)
	if err != nil {
		d.log.WarnContext(ctx, "mcp session not loaded", "server", key.Server, "error", err)
		return nil
	}
	var saved savedSession
	if len(raw) == 0 || json.Unmarshal(raw, &saved) != nil || saved.ID == "" || isNull(saved.Initialize) ||
		saved.With != nil && *saved.With != versionsOf(key) {
		return nil
	}
	return &saved
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
		if raw, err = json.Marshal(savedSession{s.sdk.ID(), initialize, &with}); err == nil {
			err = d.sessions.Save(ctx, t.Key, raw)
		}
	}
	if err != nil {
		d.log.WarnContext(ctx, "mcp session not kept", "server", t.Name, "error", err)
		return
	}
	s.kept = true
}

// forget drops what is kept for the key, unless another session has been kept since.
func (d *dialer) forget(ctx context.Context, key Key) {
	if d.sessions == nil || d.kept(ctx, key) == nil {
		return
	}
	if err := d.sessions.Delete(ctx, key); err != nil {
		d.log.WarnContext(ctx, "mcp session not forgotten", "server", key.Server, "error", err)
	}
}

// resume goes on with a kept session. Whether the server still knows it is asked with a ping, so that no call is the
// first to find out. After an error that says gone the session is not to be tried again.
func (d *dialer) resume(ctx context.Context, t Target, noise *ring, saved *savedSession) (*session, *Error) {
	s, err := d.connect(ctx, t, noise, handshake{wire: WireStreamable, version: legacyVersion, saved: saved})
	if err != nil {
		return nil, err
	}
	s.kept = true
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
// with a session id. Everything else goes through.
type resumption struct {
	next  http.RoundTripper
	saved *savedSession
}

// RoundTrip implements http.RoundTripper.
func (r *resumption) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodPost {
		return r.next.RoundTrip(req)
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
	req = req.Clone(req.Context())
	req.Body = io.NopCloser(bytes.NewReader(body))
	return r.next.RoundTrip(req)
}
