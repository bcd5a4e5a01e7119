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
func judge(ctx context.Context, conn driver.Conn, database string, writes bool) error {
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
	return &connector.Error{Answered: true, Reason: fmt.Sprintf("the account may do more than tools may use: %s. %s", strings.Join(much, ", "), advice(database, writes))}
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
	scope := parts[2]
	if !strings.HasPrefix(scope, "*.") && !strings.HasPrefix(scope, "`%") && !strings.HasPrefix(scope, "`mysql`") {
		return nil
	}
	var much []string
	for _, right := range rightsOf(parts[1]) {
		if !slices.Contains(harmlessRights, right) {
			much = append(much, right)
		}
	}
	return much
}

// rightsOf takes a list of rights apart, and leaves out which columns they are for.
func rightsOf(list string) []string {
	rights := strings.Split(columns.ReplaceAllString(list, ""), ",")
	for i, right := range rights {
		rights[i] = strings.TrimSpace(right)
	}
	return rights
}

// advice is how to make an account that may do no more than the tools.
func advice(database string, writes bool) string {
	purpose, rights, more := "only reads", "SELECT, SHOW VIEW", ""
	if writes {
		purpose, rights, more = "only reads and changes rows", "SELECT, SHOW VIEW, INSERT, UPDATE, DELETE", " "+ledgerIn(database)+";"
	}
	return fmt.Sprintf("Make one that %s: CREATE USER 'steward'@'%%' IDENTIFIED BY '...'; GRANT %s ON %s.* TO 'steward'@'%%';%s",
		purpose, rights, quote(database), more)
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
