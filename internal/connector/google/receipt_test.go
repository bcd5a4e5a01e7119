package google_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

// How long it is looked for what is not there: some time after the question, or after the request could leave last.
func TestLookEndsWhenNothingCanBeUnderWay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		noted time.Duration // so long ago
		took  time.Duration
	}{
		{"just now", 0, 10 * time.Second},
		{"the sender has waited long", 20 * time.Second, 10 * time.Second},
		{"it cannot have left of late", 36 * time.Second, 4 * time.Second},
		{"long ago", time.Hour, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				outcome, _, err := google.Look(t.Context(), google.Receipt{Mark: "id", At: begun.Add(-tt.noted).Unix()}, nothing)
				require.NoError(t, err)
				require.Equal(t, automation.OutcomeFailed, outcome)
				require.Equal(t, tt.took, time.Since(begun))
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		_, _, err := google.Look(t.Context(), google.Receipt{Mark: "id"}, nothing)
		require.NoError(t, err)
		require.Equal(t, 10*time.Second, time.Since(begun), "nobody knows since when: as if just now")
	})
}

func nothing(context.Context) (automation.Outcome, struct{}, error) {
	return automation.OutcomeFailed, struct{}{}, nil
}

func TestNote(t *testing.T) {
	t.Parallel()
	var c connector.Call
	c.Note = func(_ context.Context, receipt string) error {
		c.Receipt = receipt
		return nil
	}
	before := time.Now()
	sending, cancel, err := google.Note(t.Context(), c, `"3181161784712000"`)
	require.NoError(t, err)
	defer cancel()
	last, bounded := sending.Deadline()
	require.True(t, bounded)
	require.WithinRange(t, last, before.Add(30*time.Second), time.Now().Add(30*time.Second))
	r := google.ReceiptOf(c)
	require.Equal(t, `"3181161784712000"`, r.Mark)
	require.InDelta(t, before.Unix(), r.At, 60)

	lost := errors.New("another attempt has this call")
	c.Note = func(context.Context, string) error { return lost }
	_, _, err = google.Note(t.Context(), c, "id")
	require.ErrorIs(t, err, lost)

	for _, older := range []string{"", "1aBcD", `"3181161784712000"`, "0", "{}"} {
		require.Equal(t, google.Receipt{Mark: older}, google.ReceiptOf(connector.Call{Receipt: older}))
	}
}
