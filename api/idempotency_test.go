package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What may be secret has no part in a digest that is kept; everything else has.
func TestDigestsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	digest := func(body any) []byte {
		t.Helper()
		sum, err := bodyDigest(body)
		require.NoError(t, err)
		return sum
	}
	server := func(env, headers map[string]string, session string) []byte {
		b := addServerBody{Name: "one", ServerSettings: ServerSettings{Env: env, Headers: headers, SessionID: session}}
		defer func() { require.Equal(t, env, b.Env, "the body itself stays") }()
		return digest(b.said())
	}
	first := server(map[string]string{"A": "1"}, map[string]string{"X-Key": "1"}, "s")
	require.Equal(t, first, server(map[string]string{"A": "2"}, map[string]string{"X-Key": "2"}, ""))
	require.NotEqual(t, first, server(map[string]string{"B": "1"}, map[string]string{"X-Key": "1"}, "s"))
	require.NotEqual(t, first, server(map[string]string{"A": "1"}, map[string]string{"X-Key": "1", "X-More": "1"}, "s"))

	pkg := func(b installBody) []byte { return digest(b.said()) }
	plain := installBody{Name: "a", Env: map[string]string{"A": "1"}, Headers: map[string]string{"X": "1"}, PipIndexURL: "https://u:p@index.example/"}
	other := installBody{Name: "a", Env: map[string]string{"A": "2"}, Headers: map[string]string{"X": "2"}, PipExtraIndexURL: "https://u:q@index.example/"}
	require.Equal(t, pkg(plain), pkg(other))
	other.Version = "1.0.0"
	require.NotEqual(t, pkg(plain), pkg(other))
}
