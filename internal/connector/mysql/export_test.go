package mysql

import (
	"context"
	"database/sql"

	"steward/internal/connector"
)

// The walls one by one: CheckRead is the first of those around reads, and Unchecked goes by it.
var (
	CheckRead  = checkRead
	CheckWrite = func(statement string) error {
		_, err := checkWrite(statement)
		return err
	}
	Tokens = func(statement string) (kinds []int, texts []string, err error) {
		all, err := tokens(statement)
		for _, t := range all {
			kinds, texts = append(kinds, int(t.kind)), append(texts, t.text)
		}
		return kinds, texts, err
	}
	TooMuch = tooMuch
	Gives   = gives
)

// Unchecked runs a statement in a session for reads.
func Unchecked(ctx context.Context, l connector.Link, statement string) error {
	return l.(*link).read(ctx, func(ctx context.Context, conn *sql.Conn) error {
		_, err := rowsOf(ctx, conn, statement)
		return err
	})
}

// OpenSessions is how many sessions for reads there are.
func OpenSessions(l connector.Link) int { return l.(*link).reads.Stats().OpenConnections }
