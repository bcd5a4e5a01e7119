package e2e_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Both rings are rotated while runs come and go; nobody notices.
func TestKeysRotateWhileRunsGoOn(t *testing.T) {
	t.Parallel()
	s := own(t)
	u := s.as(t, "alice")
	waits := u.accept(map[string]any{"mcp_server_id": 1, "instructions": "Send the sum of last week's invoices to boss@example.com"})
	u.until(waits, time.Minute, inState("waiting_for_approval")) // sealed with the old keys

	ctx, stop := context.WithCancel(t.Context())
	var (
		busy sync.WaitGroup
		ids  []int64
	)
	busy.Go(func() {
		for ctx.Err() == nil {
			a := u.call(context.WithoutCancel(ctx), "POST", "/automation/run", u.token, map[string]any{"servers": []string{"files"}, "instructions": listFiles})
			var v view
			if a.status != 202 || json.Unmarshal(a.body, &v) != nil {
				v.RunID = -1 // told below: this is no place to end the test
			}
			ids = append(ids, v.RunID)
			pause(ctx, 50*time.Millisecond)
		}
	})
	for _, ring := range []string{"secrets", "codec"} {
		old := s.keyIDs(t, ring)
		require.Len(t, old, 1)
		var made struct {
			Key string `json:"key"`
		}
		require.NoError(t, json.Unmarshal([]byte(s.steward(t, "keys", "add", "--ring", ring, "--json")), &made))
		s.steward(t, "keys", "promote", "--ring", ring, made.Key)
		if ring == "codec" {
			_, err := s.try(t.Context(), "keys", "retire", "--ring", ring, old[0])
			require.Error(t, err, "histories still need it")
			continue
		}
		s.steward(t, "keys", "rewrap")
		s.steward(t, "keys", "retire", "--older-than", "0s", old[0])
		require.Equal(t, []string{made.Key}, s.keyIDs(t, ring))
	}
	stop()
	busy.Wait()
	require.NotEmpty(t, ids)
	require.NotContains(t, ids, int64(-1), "a request was refused")
	for _, id := range ids {
		v := u.until(id, time.Minute, ended)
		require.Equal(t, "success", v.State, "%+v", v)
	}
	u.decide(waits, "approve")
	require.Equal(t, "success", u.until(waits, time.Minute, ended).State)
	require.Len(t, s.outbox(t), 1)
}

// keyIDs are the keys of a ring, the sealing one first.
func (s *stack) keyIDs(t *testing.T, ring string) (ids []string) {
	t.Helper()
	var status struct {
		Rings []struct {
			Keys []struct {
				ID     string `json:"id"`
				InRing bool   `json:"in_ring"`
			} `json:"keys"`
		} `json:"rings"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.steward(t, "keys", "status", "--ring", ring, "--json")), &status))
	require.Len(t, status.Rings, 1)
	for _, k := range status.Rings[0].Keys {
		if k.InRing {
			ids = append(ids, k.ID)
		}
	}
	return ids
}
