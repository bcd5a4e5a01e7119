package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgconn"

	"steward/internal/connector"
)

// Raw runs a statement as DB_QUERY does, without package statement in front: the database alone judges it.
func Raw(ctx context.Context, l connector.Link, statement string) error {
	return l.(*link).read(ctx, statement, func(r *pgconn.ResultReader) error {
		_, err := answer(r, 0)
		return err
	})
}

// Conns is how many connections a link has open.
func Conns(l connector.Link) int { return int(l.(*link).pool.Stat().TotalConns()) }
