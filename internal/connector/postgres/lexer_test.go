package postgres_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"steward/internal/connector/postgres"
	"steward/internal/connector/postgres/statement"
)

// pieces are what statements hide other statements with.
var pieces = []string{
	"'", "''", `"`, `\`, "E'", "e'", "N'", "x'", "U&'", `U&"`, "$$", "$a$", "$", "$1", "--", "\n", "\r", "/*", "*/", ";", "*", "/", "-", " ", "a", "1", "1E", "e", "_", "ü", "(", ")", ",",
	"nextval('counter')", " nextval ('counter') ", "AS", "||", "::text", "\v", "FROM campaigns", "DELETE FROM campaigns", "INTO made",
}

// What package statement accepts holds nothing that it would refuse if it read as PostgreSQL's own scanner does: the
// database is asked about the same text, and it would say that there are two statements, or a call that writes.
func TestStatementsAreReadAsTheServerReadsThem(t *testing.T) {
	t.Parallel()
	link := newPlace(t).as(owner)
	random := rand.New(rand.NewPCG(9, 9)) // the same texts every time
	accepted, understood := 0, 0
	for range 60000 {
		var sql strings.Builder
		sql.WriteString("SELECT 1")
		for range 1 + random.IntN(9) {
			sql.WriteString(pieces[random.IntN(len(pieces))])
		}
		if statement.Query(sql.String()) != nil {
			continue
		}
		if accepted++; accepted > 1500 {
			break
		}
		err := postgres.Raw(t.Context(), link, sql.String())
		if err == nil {
			understood++
			continue
		}
		refused := (*pgconn.PgError)(nil)
		require.ErrorAs(t, err, &refused, "%q", sql.String())
		require.NotEqual(t, "25006", refused.Code, "%q writes", sql.String())
		require.NotContains(t, refused.Message, "multiple commands", sql.String())
	}
	require.Greater(t, accepted, 1000)
	require.Positive(t, understood)
}
