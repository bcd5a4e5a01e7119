package connector_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector"
	"steward/internal/fault"
	"steward/internal/idempotency"
)

func TestConnectionIsSealedAndForgotten(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	made := d.connect("alice", "  My Analytics DB ", "allow_writes", true)
	require.Regexp(t, `^db_[a-z2-7]{16}$`, made.ID)
	require.Equal(t, "My Analytics DB", made.Name)
	require.Equal(t, "analytics.db.example.com:5432/campaigns", made.Place())
	require.Equal(t, []string{"allow_writes"}, made.Offers())
	require.False(t, made.Since().IsZero())

	var row, event string
	require.NoError(t, d.db.Pool.QueryRow(t.Context(), "SELECT c::text || convert_from(settings_sealed, 'UTF8') FROM connections c").Scan(&row))
	require.NotContains(t, row, canary)
	require.NotContains(t, row, "db_user", "what was filled in is sealed together")
	require.NoError(t, d.db.Pool.QueryRow(t.Context(), "SELECT kind || actor || body::text FROM audit_events WHERE kind = 'connection.added'").Scan(&event))
	require.Contains(t, event, made.ID)
	require.Contains(t, event, "apikey:1")
	require.NotContains(t, event, canary)

	found, err := d.Saved(t.Context(), "alice")
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.NoError(t, d.Check(t.Context(), found[0]))

	_, err = d.Disconnect(t.Context(), "bob", "bob", made.ID)
	require.True(t, fault.Is(err, fault.NotFound))
	gone, err := d.Disconnect(t.Context(), "alice", "alice", made.ID)
	require.NoError(t, err)
	require.Equal(t, "My Analytics DB", gone.Name)
	require.Equal(t, 0, d.count("SELECT count(*) FROM connections"))
	require.Equal(t, 1, d.count("SELECT count(*) FROM audit_events WHERE kind = 'connection.removed'"))
	require.Eventually(t, func() bool { return d.paper.Opened.Load() == d.paper.Closed.Load() }, waitTime, lookTime, "its session is ended")
	_, err = d.Disconnect(t.Context(), "alice", "alice", made.ID)
	require.True(t, fault.Is(err, fault.NotFound))
	require.NotContains(t, d.log.String(), canary)
}

func TestWhatFailsItsTestIsNotSaved(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.paper.Refuse(&connector.Error{Reason: "no entry for db_user with " + canary, Err: errors.New("driver: " + canary)})
	_, _, err := d.Connect(t.Context(), d.filled("alice"), "x")
	require.Equal(t, connector.CodeNotConnected, fault.CodeOf(err))
	require.True(t, fault.Is(err, fault.Upstream))
	require.Equal(t, "not connected: no entry for db_user with [redacted]", fault.Text(err))
	refusal, ok := errors.AsType[*connector.Error](d.Test(t.Context(), d.filled("alice")))
	require.True(t, ok)
	require.Equal(t, "no entry for db_user with [redacted]", refusal.Reason)
	require.Equal(t, 0, d.count("SELECT count(*) FROM connections"))
	require.Equal(t, d.paper.Opened.Load(), d.paper.Closed.Load())
	require.Contains(t, d.log.String(), "driver: [redacted]", "the operator learns more")
	require.NotContains(t, d.log.String()+err.Error(), canary)
}

func TestDeniedAddressIsRefusedAtItsField(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.paper.Dial()
	_, _, err := d.Connect(t.Context(), d.filled("alice", "host", "10.0.0.5"), "x")
	for _, err := range []error{err, d.Test(t.Context(), d.filled("alice", "host", "10.0.0.5"))} {
		require.Equal(t, connector.CodeEgressDenied, fault.CodeOf(err))
		refusal, ok := errors.AsType[*fault.Error](err)
		require.True(t, ok)
		require.Equal(t, fault.Invalid, refusal.Kind)
		require.Equal(t, "body.host", refusal.Fields[0].Location)
		require.NotContains(t, err.Error(), "10.0.0.5")
	}
}

func TestFormsAreJudgedBeforeAnythingIsDialled(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for location, f := range map[string]connector.Filled{
		"body.host":     d.filled("alice", "host", "/var/run/postgresql"),
		"body.port":     d.filled("alice", "port", 0.5),
		"body.password": d.filled("alice", "password", ""),
		"body.ssl_mode": d.filled("alice", "ssl", true, "ssl_mode", "disable"),
		"body.ssl_ca":   d.filled("alice", "ssl_ca", "none"),
		"body.service":  d.filled("alice", "service", canary),
	} {
		err := d.Test(t.Context(), f)
		refusal, ok := errors.AsType[*fault.Error](err)
		require.True(t, ok, "%s: %v", location, err)
		require.Equal(t, location, refusal.Fields[0].Location)
		require.NotContains(t, err.Error(), canary)
		_, _, err = d.Connect(t.Context(), f, "x")
		require.True(t, fault.Is(err, fault.Invalid))
	}
	for _, name := range []string{"", "  ", "a\nb", "a\x00b", "a\u202eb", "a\u200bb", strings.Repeat("x", 65), "\xff"} {
		for given, location := range map[string]string{"": "body.connection_name", "name": "body.name"} {
			f := d.filled("alice")
			f.NameAt = given
			_, _, err := d.Connect(t.Context(), f, name)
			refusal, ok := errors.AsType[*fault.Error](err)
			require.True(t, ok, "%q", name)
			require.Equal(t, location, refusal.Fields[0].Location)
		}
	}
	_, _, err := d.Connect(t.Context(), d.filled("alice", "port", "x"), "")
	refusal, ok := errors.AsType[*fault.Error](err)
	require.True(t, ok)
	require.Equal(t, []fault.Field{{Location: "body.connection_name", Message: "is required"}, {Location: "body.port", Message: "is not a whole number from 1 to 65535"}}, refusal.Fields)
	require.EqualValues(t, 0, d.paper.Opened.Load())
}

func TestNamesAreUniqueForTheirOwner(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var asked sync.WaitGroup
	outcomes := make([]error, 8)
	for i := range outcomes {
		asked.Go(func() { _, _, outcomes[i] = d.Connect(t.Context(), d.filled("alice"), "x") })
	}
	asked.Wait()
	won := 0
	for _, err := range outcomes {
		if err == nil {
			won++
			continue
		}
		require.Equal(t, connector.CodeNameTaken, fault.CodeOf(err))
		require.True(t, fault.Is(err, fault.Conflict))
	}
	require.Equal(t, 1, won)
	d.connect("bob", "x")
	d.connect("alice", "y")
}

func TestThereIsAnEndOfConnections(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for i := range 50 {
		d.connect("alice", fmt.Sprint(i))
	}
	_, _, err := d.Connect(t.Context(), d.filled("alice"), "one more")
	require.Equal(t, connector.CodeTooMany, fault.CodeOf(err))
	d.connect("bob", "one more")
}

func TestOneConnectionForOneKey(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	keyed := func(name string, answers ...any) (connector.Connection, bool, error) {
		f := d.filled("alice", answers...)
		f.Key = "k"
		return d.Connect(t.Context(), f, name)
	}
	first, replayed, err := keyed("x")
	require.NoError(t, err)
	require.False(t, replayed)
	d.paper.Refuse(&connector.Error{Reason: "away"})
	again, replayed, err := keyed("x", "port", "5432")
	require.NoError(t, err, "what was connected is not tried again")
	require.True(t, replayed)
	require.Equal(t, first.ID, again.ID)
	for _, other := range [][]any{{"host", "elsewhere"}, {"username", "root"}, {"allow_writes", true}} {
		_, _, err = keyed("x", other...)
		require.Equal(t, idempotency.CodeMismatch, fault.CodeOf(err))
	}
	_, _, err = keyed("y")
	require.Equal(t, idempotency.CodeMismatch, fault.CodeOf(err))
	require.Equal(t, 1, d.count("SELECT count(*) FROM connections"))

	_, err = d.Disconnect(t.Context(), "alice", "alice", first.ID)
	require.NoError(t, err)
	_, _, err = keyed("x")
	require.Equal(t, connector.CodeGone, fault.CodeOf(err))
}

// Requests with one key that come at the same time make one connection.
func TestOneConnectionForOneKeyAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var asked sync.WaitGroup
	ids, outcomes := make([]string, 8), make([]error, 8)
	for i := range ids {
		asked.Go(func() {
			f := d.filled("alice")
			f.Key = "k"
			made, _, err := d.Connect(t.Context(), f, "x")
			ids[i], outcomes[i] = made.ID, err
		})
	}
	asked.Wait()
	seen := map[string]bool{}
	for i, err := range outcomes {
		if err == nil {
			seen[ids[i]] = true
			continue
		}
		require.Equal(t, idempotency.CodeInProgress, fault.CodeOf(err))
	}
	require.Len(t, seen, 1)
	require.Equal(t, 1, d.count("SELECT count(*) FROM connections"))
}
