package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var forWrites = map[string]any{"allow_writes": true}

// What the first change would find out after somebody has approved it is found out when the database is connected.
func TestAccountsThatAreToWriteAreTried(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.exec("REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT UPDATE ON campaigns TO reader")
	before := p.one(stateSQL)
	require.NoError(t, p.as(reader).Test(t.Context()), "who only reads needs no ledger")
	require.NoError(t, open(t, p.form(owner), plainDial, forWrites).Test(t.Context()), "who may make it")
	link := open(t, p.form(reader), plainDial, forWrites)
	e := failure(t, link.Test(t.Context()))
	require.True(t, e.Answered)
	require.Equal(t, before, p.one(stateSQL), "a test changes nothing")
	create, grant, found := strings.Cut(strings.SplitAfter(e.Reason, "runs once: ")[1], "; ")
	require.True(t, found, e.Reason)

	p.exec(create)
	require.Error(t, link.Test(t.Context()), "it is there, and not for this account")
	p.exec("GRANT SELECT, INSERT ON steward_calls TO reader")
	require.Error(t, link.Test(t.Context()))
	p.exec(grant)
	require.NoError(t, link.Test(t.Context()))
	require.NoError(t, raise().run(t, link, &changed{}), "the advice is all that is missing")
	require.Equal(t, "8100", p.one(spent))
}

// Who is to write is not advised to make an account that cannot.
func TestAdviceForAccountsThatAreToWrite(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	mighty, role := p.name+"_mighty", p.name+"_writer"
	p.exec(fmt.Sprintf("CREATE ROLE %s LOGIN SUPERUSER PASSWORD '%s'", mighty, password.Reveal()))
	t.Cleanup(func() { p.exec("DROP ROLE " + mighty) })
	e := failure(t, open(t, p.form(mighty), plainDial, forWrites).Test(t.Context()))
	_, sql, found := strings.Cut(e.Reason, "changes rows: ")
	require.True(t, found, e.Reason)
	sql = strings.NewReplacer("steward_writer", role, "'...'", "'"+password.Reveal()+"'").Replace(sql)
	p.exec("REVOKE CREATE ON SCHEMA public FROM PUBLIC;" + sql)
	t.Cleanup(func() { p.exec("DROP OWNED BY " + role + "; DROP ROLE " + role) })
	link := open(t, p.form(role), plainDial, forWrites)
	require.NoError(t, link.Test(t.Context()))
	require.NoError(t, newAttempt("DB_WRITE", map[string]any{"statement": "INSERT INTO campaigns (campaign_name) VALUES ('x')"}).run(t, link, &changed{}))
}
