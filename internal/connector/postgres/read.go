package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"steward/internal/connector/database"
)

const (
	// lockTime bounds the wait for a lock of somebody else.
	lockTime = 5 * time.Second
	// idleTime is after how long the server itself ends a transaction whose client has gone quiet.
	idleTime = 10 * time.Second
)

// limits hold for the transaction that they stand in. As a query it also takes the transaction's snapshot, after which
// nothing can make it one that writes. What config asks for at the beginning of a session is asked for again: behind a
// pooler such as PgBouncer the DISCARD ALL of an earlier call has the server's defaults in its place.
var limits = fmt.Sprintf(`SELECT pg_catalog.set_config('statement_timeout', '%d', true), pg_catalog.set_config('lock_timeout', '%d', true),
	pg_catalog.set_config('idle_in_transaction_session_timeout', '%d', true), pg_catalog.set_config('client_encoding', 'UTF8', true),
	pg_catalog.set_config('DateStyle', 'ISO', true), pg_catalog.set_config('standard_conforming_strings', 'on', true)`,
	database.QueryTime.Milliseconds(), lockTime.Milliseconds(), idleTime.Milliseconds())

// errEnough says that no more rows are wanted.
var errEnough = errors.New("enough rows")

// read runs one statement in a transaction that only reads and is rolled back, and leaves nothing of it in the session:
// a rollback keeps advisory locks, prepared statements and settings of the session. All of it is one round trip, in the
// extended protocol alone: in it one string is one statement, whatever stands in it. Rows are given to use, which may
// return errEnough.
func (l *link) read(ctx context.Context, statement string, use func(*pgconn.ResultReader) error, parameters ...[]byte) error {
	ctx, cancel := l.during(ctx)
	defer cancel()
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // the pool ends a connection that is closed or in a transaction
	p := conn.Conn().PgConn().StartPipeline(ctx)
	send(p, "BEGIN READ ONLY")
	send(p, limits)
	send(p, statement, parameters...)
	p.SendPipelineSync()
	send(p, "ROLLBACK")
	p.SendPipelineSync()
	send(p, "DISCARD ALL")
	p.SendPipelineSync()
	if err = p.Flush(); err == nil {
		err = third(p, use)
	}
	if errors.Is(err, errEnough) {
		cancel() // ends the connection, and pgx has the server stop
		_ = p.Close()
		return nil
	}
	end := p.Close()
	if end != nil {
		_ = conn.Conn().Close(ctx) // what is left in the session is not known
	}
	if err == nil {
		err = end
	}
	return err
}

// third reads the answers to two statements of ours, and has the third's used.
func third(p *pgconn.Pipeline, use func(*pgconn.ResultReader) error) error {
	for range 2 {
		if _, err := result(p); err != nil {
			return err
		}
	}
	r, err := reader(p)
	if err != nil {
		return err
	}
	used := use(r)
	if used != nil {
		return used
	}
	_, err = r.Close()
	return err
}

func send(p *pgconn.Pipeline, statement string, parameters ...[]byte) {
	p.SendQueryParams(statement, parameters, nil, nil, nil)
}

// result reads one answer to its end.
func result(p *pgconn.Pipeline) (*pgconn.Result, error) {
	r, err := reader(p)
	if err != nil {
		return nil, err
	}
	out := r.Read()
	return out, out.Err
}

func reader(p *pgconn.Pipeline) (*pgconn.ResultReader, error) {
	next, err := p.GetResults()
	if err != nil {
		return nil, err
	}
	r, ok := next.(*pgconn.ResultReader)
	if !ok {
		return nil, errors.New("the server's answers are out of order")
	}
	return r, nil
}
