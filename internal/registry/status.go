package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"steward/internal/mcpclient"
	"steward/internal/secret"
	"steward/internal/store"
)

// Status is how a server was last seen by one user, in whichever process. A session that was closed because nobody
// used it leaves it as it is: the next call opens another.
type Status struct {
	State string   // connected, connecting, disconnected or error
	Error string   // for people: no hosts, paths or output of the server
	Logs  []string // the last lines that it wrote beside the protocol, without secrets
	At    time.Time
}

// Status is how owner has last seen the servers of ids. One that is disabled, was changed since, or was never reached
// is disconnected.
func (r *Registry) Status(ctx context.Context, owner string, ids []int64) (map[int64]Status, error) {
	rows, err := r.db.ListServerStatus(ctx, store.ListServerStatusParams{Owner: owner, Ids: ids})
	if err != nil {
		return nil, fmt.Errorf("read server status: %w", err)
	}
	found := make(map[int64]Status, len(ids))
	for _, id := range ids {
		found[id] = Status{State: string(mcpclient.StateDisconnected)}
	}
	for _, row := range rows {
		found[row.ServerID] = Status{row.State, row.Error, row.Logs, row.At}
	}
	return found, nil
}

// Connect reaches the server for owner now, asks for its tools, and stores and returns what came of it. An error is
// one of ours: a server that cannot be reached has the status error.
func (r *Registry) Connect(ctx context.Context, owner string, s *store.MCPServer) (Status, error) {
	st := Status{State: string(mcpclient.StateConnected)}
	l, err := r.list(ctx, owner, s, 0)
	if err == nil {
		_, err = r.record(ctx, s, l)
		if err != nil {
			return st, err
		}
	} else {
		st = Status{State: string(mcpclient.StateError), Error: Reason(err)}
		r.log.InfoContext(ctx, "server not reached", "server", s.ID, "reason", st.Error)
	}
	st.Logs, st.At = r.words(ctx, owner, s, err), time.Now()
	return st, r.store(context.WithoutCancel(ctx), mcpclient.Key{Owner: owner, Server: s.ID, Version: s.Version}, st)
}

// statusTime bounds the writing of a status: a session waits for it.
const statusTime = 2 * time.Second

// fared stores what the pool says of a session.
func (r *Registry) fared(ctx context.Context, k mcpclient.Key, state mcpclient.State, why error) {
	if state == mcpclient.StateDisconnected {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statusTime)
	defer cancel()
	st := Status{State: string(state)}
	s, err := r.Server(ctx, k.Owner, k.Server)
	if err == nil && s != nil && why != nil {
		st.Error, st.Logs = Reason(why), r.words(ctx, k.Owner, s, why)
	}
	if err == nil {
		err = r.store(ctx, k, st)
	}
	if err != nil {
		r.log.WarnContext(ctx, "server status not stored", "server", k.Server, "error", err)
	}
}

func (r *Registry) store(ctx context.Context, k mcpclient.Key, st Status) error {
	logs := st.Logs
	if logs == nil {
		logs = []string{}
	}
	err := r.db.PutServerStatus(ctx, store.PutServerStatusParams{
		Owner: k.Owner, ServerID: k.Server, Version: k.Version, State: st.State, Error: st.Error, Logs: logs,
	})
	if err != nil {
		return fmt.Errorf("store server status: %w", err)
	}
	return nil
}

// words are the last lines that a child has written, as its user may read them: without what is saved for it, what
// the user has stored, and whatever looks like a credential.
func (r *Registry) words(ctx context.Context, owner string, s *store.MCPServer, failed error) []string {
	var lines []string
	if e, ok := errors.AsType[*mcpclient.Error](failed); ok {
		lines = e.Stderr
	}
	if s.Transport != transportStdio || len(lines) == 0 && failed != nil {
		return nil
	}
	to, err := r.target(ctx, owner, s)
	if err != nil {
		return nil
	}
	if failed == nil {
		lines = r.pool.Logs(to.Key)
	}
	if len(lines) == 0 {
		return nil
	}
	redactor := secret.NewRedactor(append(to.saved.secrets(), to.own...)...)
	clean := make([]string, len(lines))
	for i, line := range lines {
		clean[i] = redactor.Text(line)
	}
	return clean
}
