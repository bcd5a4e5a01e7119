package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"steward/internal/connector"
)

// harmlessRights are those that an account may have over the whole server. Any other there is refused, also those that
// servers will learn in future. Who may write everywhere may write the server's own tables and become anybody.
var harmlessRights = []string{
	"USAGE", "SELECT", "SHOW DATABASES", "SHOW VIEW", "EXECUTE", "LOCK TABLES", "CREATE TEMPORARY TABLES",
	"REPLICATION CLIENT", "BINLOG MONITOR", "SLAVE MONITOR", "REPLICA MONITOR",
}

// judge refuses accounts that may do more than any tool needs. SHOW GRANTS names the rights of roles that are switched on.
func judge(ctx context.Context, conn driver.Conn, database string) error {
	grants, err := grantsOf(ctx, conn)
	if err != nil {
		return fmt.Errorf("read the account's rights: %w", err)
	}
	var much []string
	for _, grant := range grants {
		for _, right := range tooMuch(grant) {
			if !slices.Contains(much, right) {
				much = append(much, right)
			}
		}
	}
	if len(much) == 0 {
		return nil
	}
	return &connector.Error{Answered: true, Reason: fmt.Sprintf("the account may do more than tools may use: %s. %s", strings.Join(much, ", "), advice(database))}
}

func grantsOf(ctx context.Context, conn driver.Conn) (grants []string, err error) {
	asks, ok := conn.(driver.QueryerContext)
	if !ok {
		return nil, errors.New("the driver cannot query")
	}
	rows, err := asks.QueryContext(ctx, "SHOW GRANTS", nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return grants, nil
		case err != nil:
			return nil, err
		}
		if text, ok := row[0].([]byte); ok {
			grants = append(grants, string(text))
		}
	}
}

var (
	grantForm = regexp.MustCompile(`^GRANT (.+?) ON (.+?) TO `)
	columns   = regexp.MustCompile(` ?\([^)]*\)`)
)

// tooMuch lists what is too much of one line of SHOW GRANTS.
func tooMuch(grant string) []string {
	if strings.Contains(grant, " WITH GRANT OPTION") || strings.Contains(grant, " WITH ADMIN OPTION") {
		return []string{"GRANT OPTION"}
	}
	parts := grantForm.FindStringSubmatch(grant)
	if parts == nil {
		return nil // a role, whose rights have lines of their own
	}
	rights, scope := strings.Split(columns.ReplaceAllString(parts[1], ""), ","), parts[2]
	if !strings.HasPrefix(scope, "*.") && !strings.HasPrefix(scope, "`%") && !strings.HasPrefix(scope, "`mysql`") {
		return nil
	}
	var much []string
	for _, right := range rights {
		if right = strings.TrimSpace(right); !slices.Contains(harmlessRights, right) {
			much = append(much, right)
		}
	}
	return much
}

// advice is how to make an account that only reads.
func advice(database string) string {
	return fmt.Sprintf("Make one that only reads: CREATE USER 'steward'@'%%' IDENTIFIED BY '...'; GRANT SELECT, SHOW VIEW ON %s.* TO 'steward'@'%%';", quote(database))
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
