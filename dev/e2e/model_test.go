package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// listFiles is a run of two steps: one call, then the final text.
const listFiles = "#sim: steps 1 tool list_files args {}"

// A worker that is killed while the provider works on an answer does not ask, nor pay, again.
func TestKilledWorkerPaysOnce(t *testing.T) {
	t.Parallel()
	m := newModelServer(t)
	s := own(t, m.env("STEWARD_MODEL_FEATURES=background")...)
	u := s.as(t, "alice")
	id := u.accept(map[string]any{"servers": []string{"files"}, "instructions": listFiles + "\n#sim: slow 3s"})
	for step := 1; step <= 2; step++ {
		accepted := func() bool {
			return strings.Count(string(u.do("GET", path(id, "history"), nil).body), `"model.accepted"`) == step
		}
		require.Eventually(t, accepted, time.Minute, 20*time.Millisecond, "step %d", step)
		s.kill(t, "worker")
	}
	v := u.until(id, 2*time.Minute, ended)
	require.Equal(t, "success", v.State, "%+v", v)
	bill := m.bill()
	require.Equal(t, 2, m.paid(), "one request a step")
	require.True(t, bill[0].background && bill[1].background)
}

func TestRetryAfterIsHonouredToTheSecond(t *testing.T) {
	t.Parallel()
	m := newModelServer(t)
	m.onPost(func(n int, w http.ResponseWriter) bool {
		if n == 1 {
			refuse(w, http.StatusTooManyRequests, "tokens", "rate_limit_exceeded", "Retry-After", "3", "Retry-After-Ms", "0")
		}
		return n == 1
	})
	u := own(t, m.env()...).as(t, "alice")
	v := u.until(u.accept(map[string]any{"servers": []string{"files"}, "instructions": listFiles}), time.Minute, ended)
	require.Equal(t, "success", v.State, "%+v", v)
	bill := m.bill()
	require.Equal(t, 3, m.paid())
	require.GreaterOrEqual(t, bill[1].at.Sub(bill[0].at), 3*time.Second)
}

func TestQuotaErrorIsAskedOnce(t *testing.T) {
	t.Parallel()
	m := newModelServer(t)
	m.onPost(func(_ int, w http.ResponseWriter) bool {
		refuse(w, http.StatusTooManyRequests, "insufficient_quota", "insufficient_quota")
		return true
	})
	u := own(t, m.env()...).as(t, "alice")
	v := u.until(u.accept(map[string]any{"servers": []string{"files"}, "instructions": listFiles}), time.Minute, ended)
	require.Equal(t, "error", v.State)
	require.Equal(t, "LLM_insufficient_quota", v.Error.Code)
	require.Equal(t, 1, m.paid())
	require.NotContains(t, v.Error.Message, "sk-e2e")
}

// A provider that is away for longer than an activity tries parks the run; it goes on when the provider is back.
func TestModelOutageParksTheRun(t *testing.T) {
	t.Parallel()
	m := newModelServer(t)
	m.onPost(func(_ int, w http.ResponseWriter) bool {
		refuse(w, http.StatusServiceUnavailable, "server_error", "server_is_overloaded", "Retry-After", "1")
		return true
	})
	u := own(t, m.env()...).as(t, "alice")
	id := u.accept(map[string]any{"servers": []string{"files"}, "instructions": listFiles})
	v := u.until(id, 2*time.Minute, inState("waiting_for_model"))
	require.Equal(t, "pending", v.Status)
	require.NotNil(t, v.Waiting)
	require.NotEmpty(t, v.Waiting.Reason)
	require.NotContains(t, v.Waiting.Reason, strings.TrimPrefix(m.url, "http://"), "no addresses for people")
	asked := m.paid()
	m.onPost(nil)
	v = u.until(id, 2*time.Minute, ended)
	require.Equal(t, "success", v.State, "%+v", v)
	require.Equal(t, asked+2, m.paid())
	require.Nil(t, v.Waiting)
}
