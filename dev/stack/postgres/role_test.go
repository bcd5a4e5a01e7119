package postgres_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"steward/dev/stack/postgres"
	"steward/internal/secret"
)

func TestRolesAndDatabases(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, dir)
	old, password := secret.New("old-canary"), secret.New("it's-a-canary")
	for _, p := range []secret.String{old, password} { // the second time changes the password
		for _, role := range []postgres.Role{
			{Name: "readers"},
			{Name: "owner", Password: p, CreateRole: true},
			{Name: "guest", Password: p, MemberOf: []string{"readers"}},
			{Name: "stranger", Password: p},
		} {
			require.NoError(t, s.EnsureRole(t.Context(), role))
		}
		require.NoError(t, s.EnsureDatabase(t.Context(), "house", "owner", "readers"))
	}
	may := func(user string, p secret.String) error {
		conn, err := pgx.Connect(t.Context(), s.URL("house", user, p).Reveal())
		if err == nil {
			err = conn.Close(t.Context())
		}
		return err
	}
	require.NoError(t, may("owner", password))
	require.NoError(t, may("guest", password), "through its group")
	require.ErrorContains(t, may("owner", old), "28P01")
	require.ErrorContains(t, may("stranger", password), "42501")

	exec1(t, s.URL("house", "owner", password), "CREATE TABLE t (id int); GRANT SELECT ON t TO readers")
	exec1(t, s.URL("house", "guest", password), "SELECT FROM t")
	require.ErrorContains(t, s.EnsureDatabase(t.Context(), "other", "nobody_at_all"), "ensure database other")

	require.NoError(t, s.Stop(context.Background()))
	log, err := os.ReadFile(filepath.Join(dir, "postgres.log"))
	require.NoError(t, err)
	require.NotContains(t, string(log), "canary")
}
