package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.temporal.io/server/common/config"
	_ "go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql" // registers postgres12_pgx
)

const (
	databaseWait = 30 * time.Second // PostgreSQL may be replaying its log after a crash
	retryPause   = 100 * time.Millisecond

	// Each of the four services opens a pool of this size per database, so the server holds at most 80
	// connections; PostgreSQL allows 100 unless told otherwise.
	poolSize = 10
)

// waitForDatabase returns once both databases accept a connection, or fails when they do not in 30 s.
// A wrong password or a missing database is not waited for.
func waitForDatabase(ctx context.Context, o options) error {
	ctx, cancel := context.WithTimeout(ctx, databaseWait)
	defer cancel()
	for _, name := range []string{o.database, o.visibility} {
		for {
			err := ping(ctx, o, name)
			if err == nil {
				break
			}
			if refused(err) {
				return fmt.Errorf("connect to database %s: %w", name, err)
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("connect to database %s: %w", name, err)
			case <-time.After(retryPause):
			}
		}
	}
	return nil
}

func ping(ctx context.Context, o options, database string) error {
	u := *o.cluster
	u.Path = "/" + database
	conn, err := pgx.Connect(ctx, u.String())
	if err != nil {
		return err // pgx keeps the password out of it
	}
	return conn.Close(ctx)
}

// refused reports that PostgreSQL answered and will answer the same next time: class 28 is a failed login,
// 3D000 a database that does not exist.
func refused(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(answer.Code, "28") || answer.Code == "3D000")
}

// sqlConfig is how the server reaches one of its databases.
func sqlConfig(o options, database string) *config.SQL {
	password, _ := o.cluster.User.Password()
	parameters := map[string]string{}
	for name := range o.cluster.Query() {
		parameters[name] = o.cluster.Query().Get(name)
	}
	return &config.SQL{
		PluginName: "postgres12_pgx", ConnectProtocol: "tcp", ConnectAddr: o.cluster.Host,
		DatabaseName: database, User: o.cluster.User.Username(), Password: password,
		ConnectAttributes: parameters,
		MaxConns:          poolSize, MaxIdleConns: poolSize, MaxConnLifetime: time.Hour,
	}
}
