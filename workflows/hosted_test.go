package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
)

func TestHostedCallsAreSettledAndNeverSent(t *testing.T) {
	t.Parallel()
	hosted := func(id, decision string, class automation.Class) automation.PlannedCall {
		return automation.PlannedCall{ID: id, Tool: "zip1/shorten", Class: class, Decision: decision, Hosted: true}
	}
	w := newWorld(t, plenty, []automation.PlannedCall{
		hosted("a", "d1", automation.Effect), hosted("b", "d2", automation.Read), hosted("c", "d3", automation.Effect), hosted("d", "", automation.Effect),
	})
	w.decide("d1", "a", automation.Approve, time.Hour)
	w.decide("d2", "b", automation.Approve, 2*time.Hour)
	w.decide("d3", "c", automation.Deny, 3*time.Hour)
	require.Equal(t, automation.Success, w.run(t))
	require.Empty(t, w.sent, "a yes goes to the provider with the next request")
	verdicts := map[string]automation.Verdict{}
	for _, in := range w.settled {
		verdicts[in.ID] = in.Verdict
		require.Positive(t, in.Seq)
	}
	require.Equal(t, map[string]automation.Verdict{"a": automation.Approve, "b": automation.Approve, "c": automation.Deny, "d": ""}, verdicts)
}
