package connector_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/connector"
)

// What was sent is there after a while, or never, and who looks for it has some time: a request that may still be under
// way has not failed.
func TestNothingHasFailedThatMayStillCome(t *testing.T) {
	t.Parallel()
	const never = time.Hour
	broken := errors.New("broken")
	for _, tt := range []struct {
		name                        string
		there, gone, again, allowed time.Duration
		broken                      error
		outcome                     automation.Outcome
		took                        time.Duration
		err                         error
	}{
		{name: "it is there", there: 0, gone: 10 * time.Second, again: time.Second, outcome: automation.OutcomeDone},
		{name: "it comes late", there: 4 * time.Second, gone: 10 * time.Second, again: time.Second, outcome: automation.OutcomeDone, took: 4 * time.Second},
		{name: "it never comes", there: never, gone: 10 * time.Second, again: time.Second, outcome: automation.OutcomeFailed, took: 10 * time.Second},
		{name: "it was long ago", there: never, gone: -time.Minute, again: time.Second, outcome: automation.OutcomeFailed},
		{name: "no time to wait for it", there: never, gone: 10 * time.Second, again: time.Second, allowed: 2500 * time.Millisecond, outcome: automation.OutcomeUnknown, took: 2500 * time.Millisecond},
		{name: "looked once, it may still come", there: never, gone: 10 * time.Second, outcome: automation.OutcomeUnknown},
		{name: "looked once, long ago", there: never, gone: -time.Minute, outcome: automation.OutcomeFailed},
		{name: "nobody can look", there: never, gone: 10 * time.Second, again: time.Second, broken: broken, outcome: automation.OutcomeUnknown, err: broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, begun := t.Context(), time.Now()
				if tt.allowed > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.allowed)
					defer cancel()
				}
				outcome, out, err := connector.Look(ctx, connector.Late{Gone: begun.Add(tt.gone), Again: tt.again},
					func(context.Context) (automation.Outcome, string, error) {
						switch {
						case tt.broken != nil:
							return automation.OutcomeUnknown, "", tt.broken
						case time.Since(begun) < tt.there:
							return automation.OutcomeFailed, "", nil
						}
						return automation.OutcomeDone, "found", nil
					})
				require.ErrorIs(t, err, tt.err)
				require.Equal(t, tt.outcome, outcome)
				require.Equal(t, tt.outcome == automation.OutcomeDone, out == "found")
				require.Equal(t, tt.took, time.Since(begun))
			})
		})
	}
}

// The context ends while it is looked a second time: that is no failure to look.
func TestLookThatIsBrokenOffIsUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		looked := 0
		outcome, _, err := connector.Look(ctx, connector.Late{Gone: time.Now().Add(time.Minute), Again: time.Second},
			func(ctx context.Context) (automation.Outcome, struct{}, error) {
				if looked++; looked > 1 {
					<-ctx.Done()
					return automation.OutcomeUnknown, struct{}{}, ctx.Err()
				}
				return automation.OutcomeFailed, struct{}{}, nil
			})
		require.NoError(t, err)
		require.Equal(t, automation.OutcomeUnknown, outcome)
	})
}
