package mysql_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/mariadb"
	"steward/internal/connector/database"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	d.Exec(
		"CREATE TABLE "+d.Name+".campaigns (region CHAR(2), id INT, name VARCHAR(40) NOT NULL DEFAULT 'none' COMMENT 'shown to people', PRIMARY KEY (region, id)) ENGINE=InnoDB COMMENT='one row each'",
		"CREATE TABLE "+d.Name+".clicks (at DATETIME, region CHAR(2), campaign INT, KEY by_time (at, campaign), UNIQUE once (at), "+
			"FOREIGN KEY (region, campaign) REFERENCES "+d.Name+".campaigns (region, id)) ENGINE=InnoDB",
		"CREATE VIEW "+d.Name+".recent AS SELECT name FROM "+d.Name+".campaigns",
	)
	c := connect(t, d, d.Reader())
	var all database.Description
	require.NoError(t, c.call("DB_DESCRIBE", map[string]string{}, &all))
	require.Len(t, all.Tables, 3)
	require.False(t, all.Truncated)
	require.Empty(t, cmp.Diff(database.Table{
		Schema: d.Name, Name: "campaigns", Kind: "table", Comment: "one row each", PrimaryKey: []string{"region", "id"},
		Columns: []database.Column{{Name: "region", Type: "char(2)"}, {Name: "id", Type: "int(11)"}, {Name: "name", Type: "varchar(40)", Comment: "shown to people"}},
	}, all.Tables[0]))
	require.Empty(t, cmp.Diff([]database.ForeignKey{
		{Columns: []string{"region", "campaign"}, Table: d.Name + ".campaigns", References: []string{"region", "id"}},
	}, all.Tables[1].ForeignKeys))
	require.Empty(t, cmp.Diff(database.Table{
		Schema: d.Name, Name: "recent", Kind: "view", Rows: -1, Columns: []database.Column{{Name: "name", Type: "varchar(40)", Comment: "shown to people"}},
	}, all.Tables[2]))

	var one database.Description
	require.NoError(t, c.call("DB_DESCRIBE", map[string]string{"table": "clicks"}, &one))
	require.Len(t, one.Tables, 1)
	require.Equal(t, []string{"by_time (at, campaign)", "UNIQUE once (at)", "region (region, campaign)"}, one.Tables[0].Indexes)
	require.NoError(t, c.call("DB_DESCRIBE", map[string]string{"table": "campaigns"}, &one))
	require.Equal(t, "'none'", one.Tables[0].Columns[2].Default)
	for _, name := range []string{"nowhere", "' OR '1'='1", "campaigns; DROP TABLE clicks"} {
		require.True(t, failure(t, c.call("DB_DESCRIBE", map[string]string{"table": name}, nil)).Answered, name)
	}
}

func TestDescriptionsAreBounded(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	for i := range database.MostTables + 5 {
		d.Exec(fmt.Sprintf("CREATE TABLE %s.t%03d (n INT) ENGINE=Aria", d.Name, i))
	}
	var all database.Description
	require.NoError(t, connect(t, d, d.Reader()).call("DB_DESCRIBE", map[string]string{}, &all))
	require.True(t, all.Truncated)
	require.Len(t, all.Tables, database.MostTables)
	require.Len(t, all.Tables[0].Columns, 1)
}
