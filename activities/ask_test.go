package activities

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"steward/internal/audit"
	"steward/internal/automation"
)

func applicationError(t *testing.T, err error) *temporal.ApplicationError {
	t.Helper()
	e := new(temporal.ApplicationError)
	require.ErrorAs(t, err, &e)
	return e
}

func TestRetryAfterIsHonouredToTheSecond(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, problem(http.StatusTooManyRequests, "tokens", "rate_limit_exceeded", "Retry-After", "7", "Retry-After-Ms", "0")), options{})
	_, err := g.plan(1, at{"5", 1})
	e := applicationError(t, err)
	require.Equal(t, 7*time.Second, e.NextRetryDelay())
	require.False(t, e.NonRetryable())
	require.Equal(t, "LLM_rate_limit_exceeded", e.Type())
	require.Len(t, g.model.charged(), 1)
	require.Zero(t, g.modelCalls()[0].ChargedTokens, "a refusal costs nothing")
}

func TestQuotaErrorIsFinal(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, problem(http.StatusTooManyRequests, "insufficient_quota", "credit_balance_exhausted")), options{})
	_, err := g.plan(1, at{"5", maxModel})
	require.True(t, applicationError(t, err).NonRetryable())
	require.Len(t, g.model.charged(), 1)
}

func TestModelThatIsAwayParksTheRun(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, problem(http.StatusServiceUnavailable, "server_error", "server_is_overloaded", "Retry-After", "90")), options{})
	_, err := g.plan(1, at{"5", maxModel - 1})
	require.False(t, applicationError(t, err).NonRetryable())
	out, err := g.plan(1, at{"5", maxModel})
	require.NoError(t, err)
	require.Equal(t, automation.WaitingForModel, out.Park.State)
	require.Equal(t, 90*time.Second, out.Park.Retry)
	require.NotEmpty(t, out.Park.Waiting.Reason)
	require.Contains(t, g.kinds(), audit.ModelDeferred)
}

// What is charged for a request without an answer depends on whether it may have been paid for.
func TestRequestWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		turn     answer
		features string
		closed   bool // nobody listens
		paid     bool
	}{
		"nobody listens":   {closed: true},
		"refused":          {turn: problem(http.StatusBadRequest, "invalid_request_error", "bad")},
		"broken answer":    {turn: answer{cut: true, fields: text("two mails").fields}, paid: true},
		"broken stream":    {turn: answer{cut: true}, features: "stream", paid: true},
		"says it failed":   {turn: answer{fields: map[string]any{"status": "failed", "error": map[string]any{"code": "server_error"}}}},
		"no answer at all": {turn: answer{fields: map[string]any{"id": ""}}, paid: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, tc.turn)
			g := newRig(t, p, options{features: tc.features})
			if tc.closed {
				p.Close()
			}
			_, err := g.plan(1, at{"5", 1})
			require.Error(t, err)
			made := g.modelCalls()
			require.Len(t, made, 1)
			require.Equal(t, "failed", made[0].Status)
			require.Equal(t, tc.paid, made[0].ChargedTokens > 0)
			require.Equal(t, tc.paid, g.usage().TotalTokens > 0)
			require.Contains(t, g.kinds(), audit.ModelFailed)
		})
	}
}

func TestStreamShowsItsProgress(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, text("two mails")), options{features: "stream"})
	a := g.attempt(1, at{"5", 1})
	out, err := g.worker.planStep(t.Context(), a)
	require.NoError(t, err)
	require.Equal(t, automation.Success, out.Final.State)
	require.Equal(t, Doing{What: "response.completed", Chars: len("twelve chars")}, a.doing.doing())
	require.True(t, g.model.charged()[0].Stream)
}

func TestRequestNamesTheAttempt(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, text("two mails")), options{})
	_, err := g.plan(1, at{"5", 3})
	require.NoError(t, err)
	sent := g.model.charged()[0]
	require.Equal(t, "run/1/1/3", sent.header.Get("X-Client-Request-Id"))
	require.Contains(t, sent.Instructions, "<tool-result-", "results are marked")
	require.Equal(t, "mcp_mail__list", sent.Tools[0].Name)
	require.EqualValues(t, longestAnswer, sent.Max)
}
