package e2e_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"steward/internal/automation"
)

// An operator's Reset copies a history up to some event and carries on from there with another Temporal
// run. What the ledger knows to have happened must not happen again, whatever the new branch repeats.
func TestResetFiresNoEffectAgain(t *testing.T) {
	t.Parallel()
	for user, tc := range []struct {
		name    string
		behind  bool   // reset to right behind the activity, else to right before it
		of      string // activity
		nth     int
		waiting bool // the run still waits for the approval of its second mail when it is reset
	}{
		{name: "finished run, behind the call", behind: true, of: automation.ActivityCallTool, nth: 1},
		{name: "finished run, before the call", of: automation.ActivityCallTool, nth: 1},
		{name: "finished run, before its plan", of: automation.ActivityPlanStep, nth: 1},
		{name: "finished run, from the beginning", of: automation.ActivityResolveTools, nth: 1},
		{name: "waiting run, behind the first call", behind: true, of: automation.ActivityCallTool, nth: 1, waiting: true},
		{name: "waiting run, before the first call", of: automation.ActivityCallTool, nth: 1, waiting: true},
		{name: "waiting run, before the plan it waits at", of: automation.ActivityPlanStep, nth: 2, waiting: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := running(t)
			u := s.as(t, "resetter"+strconv.Itoa(user))
			to := u.name + "@example.com"
			id := u.accept(map[string]any{"mcp_server_id": 1, "instructions": simulate(2, "send_email", map[string]any{
				"to": to, "subject": "mail {{step}}", "body": "text",
			})})
			u.until(id, time.Minute, inState("waiting_for_approval"))
			u.decide(id, "approve")
			second := u.until(id, time.Minute, func(v view) bool { return len(v.ToolCalls) == 2 && v.ToolCalls[1].Decision != nil })
			if !tc.waiting {
				u.decide(id, "approve")
				second = u.until(id, time.Minute, ended)
			}

			c, workflow := s.temporal(t), u.workflow(id)
			before, behind := scheduling(t, events(t, c, workflow, ""), tc.of, tc.nth)
			if tc.behind {
				before = behind
			}
			old := s.branches(t, id)
			fresh := reset(t, c, workflow, before)

			if tc.waiting { // the reconciler looks meanwhile, and finds that the old run was ended from outside
				u.outlives(id, 25*time.Second)
				u.approveAll(id)
			}
			require.NoError(t, c.GetWorkflow(t.Context(), workflow, fresh).Get(t.Context(), nil))
			v := u.get(id)
			require.Equal(t, "success", v.State, "%+v", v)
			require.Len(t, v.ToolCalls, 2)
			require.Equal(t, second.ToolCalls[0].ID, v.ToolCalls[0].ID, "the ledger's call is kept")
			require.Equal(t, []string{"done", "done"}, []string{v.ToolCalls[0].State, v.ToolCalls[1].State})
			require.Len(t, s.mailsTo(t, to), 2, "each mail stands once")

			now := s.branches(t, id)
			require.Contains(t, now, fresh, "the new branch has events of its own")
			for branch, n := range old {
				require.GreaterOrEqual(t, now[branch], n, "the old branch keeps its events")
			}
			s.verified(t, id)
		})
	}
}

// outlives holds a run to going on for a while.
func (u *user) outlives(id int64, d time.Duration) {
	u.t.Helper()
	deadline := time.Now().Add(d)
	for time.Now().Before(deadline) {
		v := u.get(id)
		require.Equal(u.t, "pending", v.Status, "%+v", v)
		pause(u.t.Context(), 500*time.Millisecond)
	}
}

// approveAll answers every question until the run has ended.
func (u *user) approveAll(id int64) {
	u.t.Helper()
	for {
		v := u.until(id, time.Minute, func(v view) bool {
			return ended(v) || asks(v)
		})
		if ended(v) {
			return
		}
		u.decide(id, "approve")
	}
}

func asks(v view) bool {
	for _, c := range v.ToolCalls {
		if c.Decision != nil {
			return true
		}
	}
	return false
}

// mailsTo are the mails to one address.
func (s *stack) mailsTo(t testing.TB, to string) (mails []string) {
	t.Helper()
	for _, m := range s.outbox(t) {
		if strings.Contains(m, to) {
			mails = append(mails, m)
		}
	}
	return mails
}

// branches counts the audit events of a run by the Temporal run that left them.
func (s *stack) branches(t testing.TB, id int64) map[string]int {
	t.Helper()
	db, err := pgx.Connect(t.Context(), s.databaseURL(t, "database.url"))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close(t.Context())) }()
	rows, err := db.Query(t.Context(), `SELECT body::json->>'temporal_run_id', count(*) FROM audit_events
		WHERE chain = $1 AND body::json->>'temporal_run_id' IS NOT NULL GROUP BY 1`, automation.AuditChain(id))
	require.NoError(t, err)
	n := map[string]int{}
	var branch string
	var count int
	_, err = pgx.ForEachRow(rows, []any{&branch, &count}, func() error {
		n[branch] = count
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, n)
	return n
}

// verified holds the audit log to Temporal's histories. Other tests' runs go on meanwhile; only what is
// said of this run counts.
func (s *stack) verified(t testing.TB, id int64) {
	t.Helper()
	out, _ := s.try(t.Context(), "audit", "verify", "--temporal", "--json")
	var v struct {
		Audit, Temporal struct {
			Findings []struct {
				Chain, Problem, Detail string
			} `json:"findings"`
			CannotTell []string `json:"cannot_tell"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &v), out)
	require.Empty(t, v.Temporal.CannotTell)
	for _, f := range append(v.Audit.Findings, v.Temporal.Findings...) {
		require.NotEqual(t, automation.AuditChain(id), f.Chain, "%+v", f)
	}
}
