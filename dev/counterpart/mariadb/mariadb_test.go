package mariadb_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/mariadb"
)

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	a, b := mariadb.New(t), mariadb.New(t)
	require.NotEqual(t, a.Name, b.Name)
	require.Equal(t, a.Port, b.Port, "one server for all tests of a process")
	a.Exec("CREATE TABLE "+a.Name+".n (n INT)", "INSERT INTO "+a.Name+".n VALUES (1),(2)")
	require.Equal(t, "2", a.Text("SELECT COUNT(*) FROM "+a.Name+".n"))
	require.Equal(t, "0", b.Text("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '"+b.Name+"'"))
}

func TestAccountsHaveWhatTheyWereGranted(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	owner := d.Account("ALL ON %s.* WITH GRANT OPTION")
	require.Equal(t, "YES", d.Text("SELECT MAX(is_grantable) FROM information_schema.schema_privileges WHERE grantee LIKE '%"+owner.Username+"%'"))
	require.NotEqual(t, d.Reader(), d.Writer())
}
