package auth_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/auth/authtest"
	"steward/internal/storetest"
)

// The goal is 100 µs a request (security.md §4), logout and key looked up in the short memory.
func BenchmarkAuthenticate(b *testing.B) {
	db := storetest.New(b)
	keys, err := auth.NewKeys(db.Queries, authtest.Key(b), slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	key, _, err := keys.Create(b.Context(), auth.KeyGrant{Name: "b", Role: auth.Service, Tenants: []string{"alice"}, CreatedBy: "b"})
	require.NoError(b, err)
	eddsa := authtest.Options(b)
	hs256 := auth.TokenOptions{Issuer: "i", Audience: "a", SharedKey: authtest.Key(b)}
	for name, o := range map[string]auth.TokenOptions{"EdDSA": eddsa, "HS256": hs256} {
		a, err := auth.New(tokens(b, o), keys, db.Queries)
		require.NoError(b, err)
		header := "Bearer " + authtest.Token(b, o, "alice", auth.User)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := a.Authenticate(b.Context(), header, "", ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	a, err := auth.New(tokens(b, eddsa), keys, db.Queries)
	require.NoError(b, err)
	b.Run("APIKey", func(b *testing.B) {
		for b.Loop() {
			if _, err := a.Authenticate(b.Context(), "", key.Reveal(), "alice"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
