package main

import (
	"context"
	"regexp"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"steward/internal/config"
	"steward/internal/rotation"
	"steward/internal/secret"
)

// capture VARIABLE REGEXP keeps what the parentheses match in what the last command printed.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture VARIABLE REGEXP")
	}
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("%s is not in the output", args[1])
	}
	ts.Setenv(args[0], found[1])
}

var kept = secret.Binding{Owner: "alice", Purpose: "test", Ref: "kept"}

// keep N stores so many values that are sealed with the keys of the data folder.
func keep(ts *testscript.TestScript, _ bool, args []string) {
	ring := scriptRing(ts)
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	inDatabase(ts, func(ctx context.Context, conn *pgx.Conn) error {
		for range n {
			sealed, err := ring.Seal(kept, []byte("value"))
			if err != nil {
				return err
			}
			_, err = conn.Exec(ctx, "INSERT INTO mcp_servers (name, transport, env_sealed) VALUES (gen_random_uuid(), 'stdio', $1)", sealed)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// opens N demands so many stored values, all of which open with the keys of the data folder.
func opens(ts *testscript.TestScript, _ bool, args []string) {
	ring := scriptRing(ts)
	inDatabase(ts, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, "SELECT env_sealed FROM mcp_servers WHERE env_sealed IS NOT NULL")
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		if err == nil && strconv.Itoa(len(all)) != args[0] {
			ts.Fatalf("%d values, not %s", len(all), args[0])
		}
		for _, sealed := range all {
			if _, err := ring.Open(kept, sealed); err != nil {
				return err
			}
		}
		return err
	})
}

// holders N waits until so many processes have said which keys of a ring they hold.
func holders(ts *testscript.TestScript, _ bool, args []string) {
	inDatabase(ts, func(ctx context.Context, conn *pgx.Conn) error {
		poll := time.NewTicker(10 * time.Millisecond)
		defer poll.Stop()
		for began := time.Now(); time.Since(began) < 20*time.Second; <-poll.C {
			var n int
			if err := conn.QueryRow(ctx, "SELECT count(*) FROM ring_holders WHERE ring = 'secrets'").Scan(&n); err != nil {
				return err
			}
			if strconv.Itoa(n) == args[0] {
				return nil
			}
		}
		ts.Fatalf("there are never %s holders", args[0])
		return nil
	})
}

func inDatabase(ts *testscript.TestScript, fn func(context.Context, *pgx.Conn) error) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, ts.Getenv("SUPERUSER"))
	ts.Check(err)
	defer func() { _ = conn.Close(ctx) }()
	ts.Check(fn(ctx, conn))
}

func scriptRing(ts *testscript.TestScript) *secret.Ring {
	cfg, err := config.Load(func(name string) (string, bool) { v := ts.Getenv(name); return v, v != "" })
	ts.Check(err)
	ring, err := rotation.Open(cfg, rotation.Secrets)
	ts.Check(err)
	return ring.Keys
}
