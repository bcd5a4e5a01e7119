package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"steward/internal/connector"
	"steward/internal/connector/database"
)

// settings are those of every session: the sql_mode by which tokens reads, times in UTC, and limits. The comments are
// run by one of the two kinds of servers alone: MariaDB passes over those from 50700 to 99999, MySQL over those with an
// M. A server that knows neither takes the comma before them for a mistake, and no session comes about.
const settings = `SET SESSION sql_mode = '%s', time_zone = '+00:00', innodb_lock_wait_timeout = %d, sql_select_limit = %s,` +
	` /*M!100200 tx_read_only = %[4]d, max_statement_time = %[5]d */ /*!50720 transaction_read_only = %[4]d, max_execution_time = %[5]d000 */`

// lockTime is how long a statement waits for rows that somebody else has locked.
const lockTime = 10 * time.Second

var (
	// reading is the second wall around reads. The session is read-only and so is the transaction, because neither is
	// enough alone: MariaDB lets a DROP TABLE pass in a transaction that is read-only, which it ends first.
	reading = []string{
		fmt.Sprintf(settings, "", lockTime/time.Second, fmt.Sprint(database.MostRows+1), 1, database.QueryTime/time.Second),
		"START TRANSACTION READ ONLY",
	}
	// writing refuses values that do not fit, instead of bending them.
	writing = []string{
		fmt.Sprintf(settings, "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION", lockTime/time.Second, "DEFAULT", 0, database.QueryTime/time.Second),
		"START TRANSACTION READ WRITE",
	}
)

// sessions makes connections that are ready for one statement.
type sessions struct {
	driver.Connector
	prepare  []string
	database string
	writes   bool // the user has allowed them
}

// Connect implements driver.Connector. The account is judged each time: it may have been made mightier since.
func (s sessions) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err = s.ready(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func (s sessions) ready(ctx context.Context, conn driver.Conn) error {
	does, knows := conn.(driver.ExecerContext)
	if !knows {
		return errors.New("the driver cannot execute")
	}
	for _, statement := range s.prepare {
		if _, err := does.ExecContext(ctx, statement, nil); err != nil {
			if isNumber(err, syntaxError, unknownVariable) {
				return &connector.Error{Answered: true, Reason: "the server is too old for sessions that only read: MySQL from 5.7.20 or MariaDB from 10.2 is needed", Err: err}
			}
			return fmt.Errorf("prepare session: %w", err)
		}
	}
	return judge(ctx, conn, s.database, s.writes)
}

// pool opens a pool of sessions. One that waits in it has served nobody yet.
func pool(s sessions, most int) *sql.DB {
	db := sql.OpenDB(s)
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(1)
	db.SetConnMaxIdleTime(idleTime)
	return db
}

// lend lends a session for one call. No other call ever gets it: what is left behind in it, such as a variable, a lock or
// a session that may write again, ends with it.
func lend(ctx context.Context, db *sql.DB, do func(context.Context, *sql.Conn) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("open session: %w", err)
	}
	defer func() {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // database/sql then closes it
	}()
	return do(ctx, conn)
}
