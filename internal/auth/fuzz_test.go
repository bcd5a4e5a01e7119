package auth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/auth/authtest"
	"steward/internal/fault"
)

// Nothing but the seeds that are good is accepted, and nothing panics.
func FuzzVerify(f *testing.F) {
	o := authtest.Options(f)
	made := tokens(f, o)
	good := authtest.Unspoiled(f, o)
	f.Add(good)
	for _, forged := range authtest.Forged(f, o) {
		f.Add(forged.Token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		p, err := made.Verify(token)
		if err == nil {
			require.Equal(t, good, token)
			require.Equal(t, "alice", p.Owner)
			return
		}
		require.True(t, fault.Is(err, fault.Unauthorized))
		require.Equal(t, auth.Principal{}, p)
	})
}
