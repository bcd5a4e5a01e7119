package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"regexp"
	"slices"
	"strings"
)

// mayWrite finds out, and changes nothing for it, what a first change would find out only after somebody has approved
// it: whether there is a ledger that the account may use, or it may make one.
func mayWrite(ctx context.Context, conn *sql.Conn) error {
	needs := []string{"SELECT", "INSERT", "UPDATE"}
	if _, err := conn.ExecContext(ctx, lookSQL); isNumber(err, noSuchTable, deniedTable) {
		needs = append(needs, "CREATE")
	} else if err != nil {
		return err
	}
	var database string
	if err := conn.QueryRowContext(ctx, "SELECT DATABASE()").Scan(&database); err != nil {
		return err
	}
	var grants []string
	err := conn.Raw(func(on any) (err error) {
		own, ok := on.(driver.Conn)
		if !ok {
			return errors.New("the driver's connection is none")
		}
		grants, err = grantsOf(ctx, own)
		return err
	})
	if err != nil {
		return err
	}
	for _, right := range needs {
		if !slices.ContainsFunc(grants, func(grant string) bool { return gives(grant, right, database) }) {
			return noLedger(ctx, conn, nil)
		}
	}
	return nil
}

// gives says whether a line of SHOW GRANTS gives a right to the ledger of a database.
func gives(grant, right, database string) bool {
	parts := grantForm.FindStringSubmatch(grant)
	if parts == nil {
		return false // a role, whose rights have lines of their own
	}
	rights := rightsOf(parts[1])
	if !slices.Contains(rights, right) && !slices.Contains(rights, "ALL PRIVILEGES") {
		return false
	}
	scope := parts[2]
	if scope == "*.*" || strings.EqualFold(scope, quote(database)+"."+quote(callsTable)) {
		return true
	}
	pattern, whole := strings.CutSuffix(scope, ".*")
	return whole && like(strings.ReplaceAll(strings.Trim(pattern, "`"), "``", "`"), database)
}

// like is a match of a name with a pattern, in which % is anything, _ one character, and what follows a backslash itself.
func like(pattern, name string) bool {
	form, escaped := "", false
	for _, c := range pattern {
		switch {
		case c == '\\' && !escaped:
			escaped = true
			continue
		case c == '%' && !escaped:
			form += ".*"
		case c == '_' && !escaped:
			form += "."
		default:
			form += regexp.QuoteMeta(string(c))
		}
		escaped = false
	}
	matched, err := regexp.MatchString("(?is)^"+form+"$", name)
	return err == nil && matched
}
