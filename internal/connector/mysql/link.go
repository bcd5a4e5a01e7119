package mysql

import (
	"context"
	"database/sql"
	"net"
	"sync"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"steward/internal/connector"
	"steward/internal/connector/database"
)

// Sessions of one connection, and how long one waits for its call.
const (
	mostReads  = 3
	mostWrites = 1
	idleTime   = time.Minute
	dialTime   = 5 * time.Second
)

// slack is what a call may take beyond the database's own limit: to log in, and to be told that the time is over.
const slack = dialTime + 2*time.Second

// link is one connection to a database.
type link struct {
	reads   *sql.DB
	writes  *sql.DB
	changes bool            // the user has allowed writes
	ending  context.Context // done when the link is closed
	end     context.CancelFunc
	making  sync.Mutex // held while a session is made in advance
}

// open dials nothing yet. The driver's settings are set one by one: in a text, what a user writes could become one.
func open(s connector.Settings, dial connector.Dial) (connector.Link, error) {
	cfg := driver.NewConfig()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", database.Address(s), s.Text(database.Name)
	cfg.User, cfg.Passwd = s.Text(database.Username), s.Text(database.Password)
	cfg.TLS, cfg.Timeout = database.TLS(s, s.Text(database.Host)), dialTime
	cfg.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &bounded{conn, mostReceived}, nil
	}
	// A server may ask for any file of ours (LOAD DATA LOCAL), or for the password in clear: it gets neither.
	cfg.AllowAllFiles, cfg.AllowCleartextPasswords, cfg.AllowOldPasswords, cfg.AllowFallbackToPlaintext = false, false, false, false
	cfg.MultiStatements, cfg.InterpolateParams = false, false
	cfg.ClientFoundRows = true // an UPDATE counts the rows that it found, changed or not, as other databases do
	cfg.Logger = &driver.NopLogger{}
	c, err := driver.NewConnector(cfg)
	if err != nil {
		return nil, &connector.Error{Answered: true, Reason: "these settings cannot be used together", Err: err}
	}
	changes := s.Ticked(database.Writes)
	l := &link{
		reads:   pool(sessions{c, reading, cfg.DBName, changes}, mostReads),
		writes:  pool(sessions{c, writing, cfg.DBName, changes}, mostWrites),
		changes: changes,
	}
	l.ending, l.end = context.WithCancel(context.Background())
	return l, nil
}

// linkOf is the link that open has made.
func linkOf(s *connector.Session) (*link, error) {
	if l, ok := s.Link.(*link); ok {
		return l, nil
	}
	return nil, &connector.Error{Reason: "the connection is not open"}
}

// Test implements connector.Link: every session is tested when it is made. It changes nothing, and sees also whether
// the account may write if it is to.
func (l *link) Test(ctx context.Context) error {
	err := l.use(ctx, l.reads, func(ctx context.Context, conn *sql.Conn) error {
		if l.changes {
			return mayWrite(ctx, conn)
		}
		return nil
	})
	if err != nil {
		return readFailure(err)
	}
	return nil
}

// Close implements connector.Link.
func (l *link) Close() {
	l.end()
	_ = l.reads.Close() // sessions that break while they are closed are closed
	_ = l.writes.Close()
}

// read lends a session that cannot change anything, and then makes the next one while nobody waits: a session of its
// own costs a call five round trips, which the next call finds already made.
func (l *link) read(ctx context.Context, do func(context.Context, *sql.Conn) error) error {
	err := l.use(ctx, l.reads, do)
	if err == nil && l.making.TryLock() {
		go func() {
			defer l.making.Unlock()
			ctx, cancel := context.WithTimeout(l.ending, slack)
			defer cancel()
			_ = l.reads.PingContext(ctx) // whoever needs the session learns what is wrong
		}()
	}
	return err
}

// use lends a session of the pool for one call, which is bounded by its time and by the link's life.
func (l *link) use(ctx context.Context, of *sql.DB, do func(context.Context, *sql.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, database.QueryTime+slack)
	defer cancel()
	stop := context.AfterFunc(l.ending, cancel)
	defer stop()
	return lend(ctx, of, do)
}
