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
	writes bool            // the user has allowed them
	ending context.Context // done when the link is closed
	end    context.CancelFunc
}

// open does not dial yet.
func open(s connector.Settings, dial connector.Dial) (*link, error) {
	c, err := config(s, dial)
	if err != nil {
		return nil, err
	}
	l := &link{writes: s.Ticked(database.Writes)}
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

// Test is a connector.Link's. It changes nothing, and sees also whether the account may write if it is to.
func (l *link) Test(ctx context.Context) error {
	err := l.again(ctx)
	if err == nil && l.writes {
		err = l.mayWrite(ctx)
	}
	if err != nil {
		return failed(err)
	}
	return nil
}

// again judges a connection that was there already: what its account may do can have changed.
func (l *link) again(ctx context.Context) error {
	ctx, cancel := l.during(ctx)
	defer cancel()
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return judge(ctx, conn.Conn(), l.writes)
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
