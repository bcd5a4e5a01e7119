package registry_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/config"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
)

func TestRegisterReplacesSealsAndSkipsIDs(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	key, err := config.NewKey()
	require.NoError(t, err)
	ring, err := secret.NewRing(secret.New(key))
	require.NoError(t, err)
	s := registry.Server{ID: 2, Name: "files", Transport: "stdio", Command: "x", Env: map[string]secret.String{"TOKEN": secret.New("canary-4711")}}
	for want := int64(1); want <= 2; want++ {
		require.NoError(t, registry.Register(t.Context(), db.Queries, ring, s))
		row, err := db.GetServer(t.Context(), store.GetServerParams{ID: 2, Owner: "anybody"})
		require.NoError(t, err)
		require.Equal(t, want, row.Version, "a change retires the sessions of the version before it")
		require.NotContains(t, string(row.EnvSealed), "canary-4711")
	}
	owner := "alice"
	own, err := db.InsertServer(t.Context(), store.InsertServerParams{
		Owner: &owner, Name: "own", Transport: "http", Args: []string{}, Tags: []string{}, EnvSchema: []byte("[]"), HeaderSchema: []byte("[]"), Reconnect: []byte("{}"),
	})
	require.NoError(t, err)
	require.EqualValues(t, 3, own.ID)
	_, err = db.GetServer(t.Context(), store.GetServerParams{ID: own.ID, Owner: "bob"})
	require.True(t, store.IsNoRows(err), "a user's own server is invisible to others")
}
