package mysql_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/mariadb"
	"steward/internal/connector/mysql"
)

var forWrites = map[string]any{"allow_writes": true}

// What the first change would find out after somebody has approved it is found out when the database is connected.
func TestAccountsThatAreToWriteAreTried(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	d.Exec("CREATE TABLE " + d.Name + ".t (n INT) ENGINE=InnoDB")
	require.NoError(t, open(t, settingsOf(t, d, d.Writer(), forWrites), dial).Test(t.Context()), "who may make it")
	a := d.Account("SELECT, SHOW VIEW, INSERT ON %s.*")
	require.NoError(t, connect(t, d, a).link.Test(t.Context()), "who only reads needs no ledger")
	c := &connection{t, open(t, settingsOf(t, d, a, forWrites), dial)}
	const tables = "SELECT GROUP_CONCAT(table_name) FROM information_schema.tables WHERE table_schema = "
	e := failure(t, c.link.Test(t.Context()))
	require.True(t, e.Answered)
	require.Equal(t, "t", d.Text(tables+"'"+d.Name+"'"), "a test changes nothing")
	_, advice, found := strings.Cut(e.Reason, "runs once: ")
	require.True(t, found, e.Reason)
	create, grant, found := strings.Cut(strings.TrimSuffix(advice, ";"), "; ")
	require.True(t, found, e.Reason)

	d.Exec(create)
	require.Error(t, c.link.Test(t.Context()), "it is there, and not for this account")
	d.Exec(grant)
	require.NoError(t, c.link.Test(t.Context()))
	require.NoError(t, c.call("DB_WRITE", map[string]any{"statement": "INSERT INTO t VALUES (1)"}, nil), "the advice is all that is missing")
	require.Equal(t, 1, count(d, "t"))
}

// Who is to write is not advised to make an account that cannot.
func TestAdviceForAccountsThatAreToWrite(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	d.Exec("CREATE TABLE " + d.Name + ".t (n INT) ENGINE=InnoDB")
	e := failure(t, open(t, settingsOf(t, d, d.Account("ALL ON *.*"), forWrites), dial).Test(t.Context()))
	_, advice, found := strings.Cut(e.Reason, "changes rows: ")
	require.True(t, found, e.Reason)
	a := d.Account()
	for _, statement := range strings.Split(strings.TrimSuffix(advice, ";"), "; ")[1:] {
		d.Exec(strings.ReplaceAll(statement, "'steward'", "'"+a.Username+"'"))
	}
	c := &connection{t, open(t, settingsOf(t, d, a, forWrites), dial)}
	require.NoError(t, c.link.Test(t.Context()))
	require.NoError(t, c.call("DB_WRITE", map[string]any{"statement": "INSERT INTO t VALUES (1)"}, nil))
}

func TestRightsToTheLedger(t *testing.T) {
	t.Parallel()
	for grant, want := range map[string]bool{
		"GRANT SELECT, CREATE ON *.* TO `a`@`%`":                       true,
		"GRANT ALL PRIVILEGES ON `my_shop`.* TO `a`@`%`":               true,
		"GRANT CREATE ON `my\\_shop`.* TO 'a'@'%'":                     true,
		"GRANT CREATE ON `my%`.* TO `a`@`%`":                           true,
		"GRANT CREATE ON `my_shop`.`steward_calls` TO `a`@`%`":         true,
		"GRANT CREATE ON `my_sho`.* TO `a`@`%`":                        false,
		"GRANT CREATE ON `my\\%`.* TO `a`@`%`":                         false,
		"GRANT CREATE ON `my_shop`.`other` TO `a`@`%`":                 false,
		"GRANT SELECT, CREATE VIEW ON `my_shop`.* TO `a`@`%`":          false,
		"GRANT `writer`@`%` TO `a`@`%`":                                false,
		"GRANT CREATE ON PROCEDURE `my_shop`.`steward_calls` TO `a`@`": false,
	} {
		require.Equal(t, want, mysql.Gives(grant, "CREATE", "my_shop"), grant)
	}
}
