// Package mariadb gives tests a private MariaDB of their own: one server for a test binary, started on first use and
// gone with the process, and in it a database and accounts for each test. MariaDB stands in for MySQL too, which
// Debian does not have.
package mariadb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shared is the server of this process. Nobody stops it: Linux ends it when the process ends, however it ends, and the
// next one removes the files.
var shared = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return start(ctx, slog.New(slog.DiscardHandler))
})

// Database is one test's own, dropped when the test has passed.
type Database struct {
	Name string
	Port int    // of 127.0.0.1
	CA   string // the authority of its certificate, in PEM. It is made out to 127.0.0.1 alone; TLS is not required
	root *sql.DB
	t    testing.TB
}

// Account is a user who may log in from anywhere.
type Account struct{ Username, Password string }

// New makes an empty database.
func New(t testing.TB) *Database {
	t.Helper()
	s, err := shared()
	require.NoError(t, err, "private MariaDB of this test binary: run make deps")
	d := &Database{Name: random("t_"), Port: s.port, CA: s.certificate, root: s.root, t: t}
	d.Exec("CREATE DATABASE " + d.Name + " CHARACTER SET utf8mb4")
	t.Cleanup(func() {
		if !t.Failed() {
			d.Exec("DROP DATABASE " + d.Name)
		}
	})
	return d
}

// Exec runs statements as root, one at a time. Names in them need the database before them.
func (d *Database) Exec(statements ...string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.t.Context()), 30*time.Second)
	defer cancel()
	for _, statement := range statements {
		_, err := d.root.ExecContext(ctx, statement)
		require.NoError(d.t, err, statement)
	}
}

// Text is the first column of the first row of a query as root, as text.
func (d *Database) Text(query string) string {
	d.t.Helper()
	var text string
	require.NoError(d.t, d.root.QueryRowContext(d.t.Context(), query).Scan(&text), query)
	return text
}

// Account makes one with the grants, such as "SELECT ON %s.*", where %s becomes the database's name.
func (d *Database) Account(grants ...string) Account {
	d.t.Helper()
	a := Account{Username: random("u_"), Password: rand.Text()}
	d.Exec(fmt.Sprintf("CREATE USER '%s'@'%%' IDENTIFIED BY '%s'", a.Username, a.Password))
	d.t.Cleanup(func() { d.Exec(fmt.Sprintf("DROP USER '%s'@'%%'", a.Username)) })
	for _, grant := range grants {
		option := ""
		if rest, ok := strings.CutSuffix(grant, " WITH GRANT OPTION"); ok {
			grant, option = rest, " WITH GRANT OPTION"
		}
		d.Exec(fmt.Sprintf("GRANT %s TO '%s'@'%%'%s", strings.ReplaceAll(grant, "%s", d.Name), a.Username, option))
	}
	return a
}

// Reader may read the database and do nothing else.
func (d *Database) Reader() Account { return d.Account("SELECT, SHOW VIEW ON %s.*") }

// Writer may read and change the rows, and make tables.
func (d *Database) Writer() Account {
	return d.Account("SELECT, SHOW VIEW, INSERT, UPDATE, DELETE, CREATE ON %s.*")
}

func random(prefix string) string { return prefix + strings.ToLower(rand.Text()[:12]) }
