package mysql_test

import (
	"context"
	"database/sql"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/mariadb"
)

// BenchmarkQuery compares a query with the same one on a kept connection of the driver alone. The two alternate, so that
// both have the same machine. At leisure the session was made while nobody waited; at once it is made for each call.
func BenchmarkQuery(b *testing.B) {
	d := mariadb.New(b)
	d.Exec("CREATE TABLE "+d.Name+".campaigns (campaign_name VARCHAR(40), spend INT, clicks INT) ENGINE=InnoDB",
		"INSERT INTO "+d.Name+".campaigns SELECT CONCAT('campaign ', seq), seq, seq * 3 FROM "+d.Name+".seq_1_to_10000")
	a := d.Reader()
	c := connect(b, d, a)
	alone := bare(b, d, a)
	for name, statement := range map[string]string{
		"one row": "SELECT campaign_name, spend, clicks FROM campaigns LIMIT 1", "1000 rows": "SELECT campaign_name, spend, clicks FROM campaigns LIMIT 1000",
		"10000 rows counted": "SELECT COUNT(*), SUM(spend) FROM campaigns",
	} {
		ours := func() error { return c.call("DB_QUERY", map[string]string{"query": statement}, nil) }
		theirs := func() error { return readAll(b.Context(), alone, statement) }
		b.Run(name+" at leisure", func(b *testing.B) { compare(b, 5*time.Millisecond, ours, theirs) })
		b.Run(name+" at once", func(b *testing.B) { compare(b, 0, ours, theirs) })
	}
}

func bare(b *testing.B, d *mariadb.Database, a mariadb.Account) *sql.DB {
	cfg := driver.NewConfig()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(d.Port)), d.Name
	cfg.User, cfg.Passwd = a.Username, a.Password
	connector, err := driver.NewConnector(cfg)
	require.NoError(b, err)
	db := sql.OpenDB(connector)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	return db
}

func readAll(ctx context.Context, db *sql.DB, statement string) error {
	rows, err := db.QueryContext(ctx, statement)
	if err != nil {
		return err
	}
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return rows.Close()
}

// compare runs the two in turn, with a pause before each pair, and reports the median of each.
func compare(b *testing.B, pause time.Duration, ours, theirs func() error) {
	var took, alone []time.Duration
	measure := func(f func() error) time.Duration {
		began := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	for b.Loop() {
		if pause > 0 {
			<-time.After(pause)
		}
		took, alone = append(took, measure(ours)), append(alone, measure(theirs))
	}
	median := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)/2].Microseconds())
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(took), "ours-p50-µs")
	b.ReportMetric(median(alone), "bare-p50-µs")
	b.ReportMetric(median(took)/median(alone), "ratio")
	b.ReportMetric((median(took)-median(alone))/1000, "added-ms")
}
