package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/store"
)

const (
	auditWindow = time.Second // of one side, before the other has its turn
	auditTurns  = 2
	auditBody   = `{"temporal_run_id":"0199f0aa-7b1c-7d22-9d0e-3b6b5f0f4c11","activity_id":"11","attempt":1,"call":"call_7D1F","step":3,"tool":"files/read_file","class":"read"}`
)

// barePlain is a table of the audit log's columns with a primary key and nothing else.
const barePlain = `CREATE TABLE bare_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	chain text NOT NULL, event_key text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp(),
	kind text NOT NULL, actor text NOT NULL, body text NOT NULL)`

const bareInsert = `INSERT INTO bare_events (chain, event_key, kind, actor, body) VALUES ($1, $2, $3, $4, $5)`

// benchAudit compares appending an event, one statement and one commit, with a single-row INSERT, and
// verifying all chains with reading the same rows.
func benchAudit(ctx context.Context, s *site, r *report) error {
	if err := s.makeBareTable(ctx); err != nil {
		return err
	}
	var lines []throughput
	for _, writers := range []int{1, 8, 32} {
		line, err := compareAppends(ctx, s, writers)
		if err != nil {
			return err
		}
		lines = append(lines, line)
	}
	if err := r.throughputs("Audit event appended / single-row INSERT, fsync on", lines...); err != nil {
		return err
	}
	line, err := compareVerify(ctx, s)
	if err != nil {
		return err
	}
	return r.throughputs("Audit rows verified / read and thrown away", line)
}

// makeBareTable uses the role that owns the tables: the product's own may not.
func (s *site) makeBareTable(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.stack.MigrationURL.Reveal())
	if err != nil {
		return fmt.Errorf("connect as the tables' owner: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range []string{barePlain, `GRANT INSERT, SELECT ON bare_events TO steward_app`} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("make the bare table: %w", err)
		}
	}
	return nil
}

func compareAppends(ctx context.Context, s *site, writers int) (throughput, error) {
	line := throughput{name: fmt.Sprintf("%d writers", writers)}
	for turn := range auditTurns {
		ours, err := perSecond(ctx, writers, func(ctx context.Context, writer, n int) error {
			_, err := audit.Append(ctx, s.db.Queries, audit.Event{
				Chain: automation.AuditChain(int64(1_000_000*writers + writer)), Key: fmt.Sprintf("%d/%d", turn, n),
				Kind: audit.ToolClaimed, Actor: "worker", Body: json.RawMessage(auditBody),
			})
			return err
		})
		if err != nil {
			return line, err
		}
		bare, err := perSecond(ctx, writers, func(ctx context.Context, writer, n int) error {
			_, err := s.db.Pool.Exec(ctx, bareInsert, fmt.Sprintf("run/%d", writer), fmt.Sprintf("%d/%d", turn, n),
				audit.ToolClaimed, "worker", auditBody)
			return err
		})
		if err != nil {
			return line, err
		}
		line.ours += ours / auditTurns
		line.bare += bare / auditTurns
	}
	return line, nil
}

// perSecond counts what writers side by side get done in a window.
func perSecond(ctx context.Context, writers int, op func(ctx context.Context, writer, n int) error) (float64, error) {
	var count atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for writer := range writers {
		group.Go(func() error {
			for n := 0; time.Since(began) < auditWindow; n++ {
				if err := op(ctx, writer, n); err != nil {
					return err
				}
				count.Add(1)
			}
			return nil
		})
	}
	err := group.Wait()
	return float64(count.Load()) / time.Since(began).Seconds(), err
}

func compareVerify(ctx context.Context, s *site) (throughput, error) {
	var line throughput
	verifier, err := audit.NewVerifier(s.db, nil, "")
	if err != nil {
		return line, err
	}
	for range auditTurns {
		report := verifier.VerifyAll(ctx, nil)
		if report.Events == 0 {
			return line, errors.New("nothing was verified")
		}
		line.name = fmt.Sprintf("%d rows", report.Events)
		line.ours += float64(report.Events) / report.Elapsed.Seconds() / auditTurns
		began := time.Now()
		rows, err := readAll(ctx, s.db)
		if err != nil {
			return line, err
		}
		line.bare += float64(rows) / time.Since(began).Seconds() / auditTurns
	}
	return line, nil
}

// readAll reads every event in the order of the chains, in pages as large as the verifier's.
func readAll(ctx context.Context, db *store.DB) (int, error) {
	after, seq, total := "", int64(0), 0
	for {
		page, err := db.ScanAudit(ctx, store.ScanAuditParams{AfterChain: after, AfterSeq: seq, LastChain: "\U0010ffff", PageSize: 5000})
		if err != nil || len(page) == 0 {
			return total, err
		}
		total += len(page)
		after, seq = page[len(page)-1].Chain, page[len(page)-1].Seq
	}
}
