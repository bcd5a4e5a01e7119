package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"steward/internal/connector"
	"steward/internal/connector/database"
)

// link is a pool of connections with the same settings.
type link struct {
	pool   *pgxpool.Pool
	ending context.Context // done when the link is closed
	end    context.CancelFunc
}

// open does not dial yet.
func open(s connector.Settings, dial connector.Dial) (*link, error) {
	c, err := config(s, dial)
	if err != nil {
		return nil, err
	}
	l := &link{}
	l.ending, l.end = context.WithCancel(context.Background())
	if l.pool, err = pgxpool.NewWithConfig(l.ending, c); err != nil {
		return nil, err
	}
	return l, nil
}

// linkOf is the link that open has made.
func linkOf(s *connector.Session) (*link, error) {
	if l, ok := s.Link.(*link); ok {
		return l, nil
	}
	return nil, &connector.Error{Reason: "the connection is not open"}
}

// Test is a connector.Link's. A connection that was there already is judged again: what its account may do can have
// changed.
func (l *link) Test(ctx context.Context) error {
	ctx, cancel := l.during(ctx)
	defer cancel()
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return failed(err)
	}
	defer conn.Release()
	if err := judge(ctx, conn.Conn()); err != nil {
		return failed(err)
	}
	return nil
}

// Close is a connector.Link's.
func (l *link) Close() {
	l.end()
	l.pool.Close()
}

// slack is what a call may take beyond the database's own limit: to connect, and to be told that the time is over.
const slack = connectTime + 2*time.Second

// during bounds a call by its time and by the link's life.
func (l *link) during(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, database.QueryTime+slack)
	stop := context.AfterFunc(l.ending, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
