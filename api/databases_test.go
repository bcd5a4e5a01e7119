package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/internal/auth"
	"steward/internal/connector"
)

// databaseForm is a form as somebody has filled it in. Its password is a canary.
func databaseForm(t testing.TB, more map[string]any) string {
	t.Helper()
	form := map[string]any{
		"db_type": "postgres", "host": "analytics.db.example.com", "port": 5432, "database": "campaigns", "username": "db_user", "password": canary,
	}
	maps.Copy(form, more)
	maps.DeleteFunc(form, func(_ string, value any) bool { return value == nil })
	doc, err := json.Marshal(form)
	require.NoError(t, err)
	return string(doc)
}

func (r *rig) database(owner, operation, body string, header ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	c := call{method: http.MethodPost, path: "/api/databases/" + operation, body: body, token: r.token(owner, auth.User), header: map[string]string{}}
	for i := 0; i < len(header); i += 2 {
		c.header[header[i]] = header[i+1]
	}
	return r.do(c)
}

// connectDatabase gives owner a database and returns its id.
func (r *rig) connectDatabase(owner, name string) string {
	r.t.Helper()
	w := r.database(owner, "connect", databaseForm(r.t, map[string]any{"name": name, "allow_writes": true}))
	return decoded[map[string]string](r.t, w, http.StatusCreated)["db_id"]
}

func (r *rig) databases(owner string) []api.Database {
	r.t.Helper()
	return decoded[struct {
		Databases []api.Database `json:"databases"`
	}](r.t, r.do(call{path: "/api/databases", token: r.token(owner, auth.User)}), http.StatusOK).Databases
}

func TestDatabaseFormsAreDescribed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	alice := r.token("alice", auth.User)
	types := decoded[map[string]any](t, r.do(call{path: "/api/databases/types", token: alice}), http.StatusOK)
	require.Empty(t, cmp.Diff([]any{map[string]any{"db_type": "postgres", "name": "PostgreSQL", "description": "Query what is held on paper."}}, types["types"]))

	form := decoded[struct {
		Fields []map[string]any `json:"fields"`
	}](t, r.do(call{path: "/api/databases/schema?db_type=postgres", token: alice}), http.StatusOK)
	require.Empty(t, cmp.Diff(map[string]any{
		"name": "connection_name", "label": "Connection Name", "type": "text", "required": true, "max_length": 64.0, "pattern": `^\P{C}+$`,
	}, form.Fields[0]))
	require.Empty(t, cmp.Diff(map[string]any{"name": "port", "label": "Port", "type": "number", "default": 5432.0, "min": 1.0, "max": 65535.0}, form.Fields[2]))
	require.Empty(t, cmp.Diff(map[string]any{
		"name": "password", "label": "Password", "type": "password", "required": true, "max_length": 255.0, "secret": true,
	}, form.Fields[5]))
	for query, at := range map[string]string{"": "query.db_type", "?db_type=": "query.db_type", "?db_type=mail": "query.db_type", "?db_type=" + canary: "query.db_type"} {
		w := r.do(call{path: "/api/databases/schema" + query, token: alice})
		require.Equal(t, at, problem(t, w, http.StatusUnprocessableEntity).Errors[0].Location, query)
		require.NotContains(t, w.Body.String(), canary)
	}
}

func TestDatabaseIsTried(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	before := r.rows()
	require.JSONEq(t, `{"success":true,"message":"Connection successful"}`, r.database("alice", "test", databaseForm(t, nil)).Body.String())
	r.paper.Refuse(&connector.Error{Reason: "password " + canary + " refused\x1b[31m"})
	w := r.database("alice", "test", databaseForm(t, map[string]any{"connection_name": "x"}))
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"success":false,"error":"password [redacted] refused"}`, w.Body.String())
	r.paper.Dial()
	denied := problem(t, r.database("alice", "test", databaseForm(t, nil)), http.StatusUnprocessableEntity)
	require.Equal(t, "egress_denied", denied.Code)
	require.Equal(t, "body.host", denied.Errors[0].Location)
	require.Equal(t, before, r.rows())
	require.NotContains(t, r.logs.String(), canary)
}

func TestFormsAreRefusedInPlace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	before := r.rows()
	for _, tt := range []struct {
		more map[string]any
		at   string
	}{
		{map[string]any{"db_type": nil}, "body"},
		{map[string]any{"db_type": 7}, "body.db_type"},
		{map[string]any{"db_type": "oracle"}, "body.db_type"},
		{map[string]any{"db_type": "mail"}, "body.db_type"},
		{map[string]any{"host": nil}, "body.host"},
		{map[string]any{"host": "/run/postgresql"}, "body.host"},
		{map[string]any{"host": "a,b"}, "body.host"},
		{map[string]any{"host": []string{canary}}, "body.host"},
		{map[string]any{"port": 70000}, "body.port"},
		{map[string]any{"password": ""}, "body.password"},
		{map[string]any{"password": canary + "\n"}, "body.password"},
		{map[string]any{"ssl": "perhaps"}, "body.ssl"},
		{map[string]any{"sslmode": canary}, "body.sslmode"},
		{map[string]any{"options": "-c role=postgres"}, "body.options"},
		{map[string]any{"user_id": 1}, "body.user_id"},
		{map[string]any{"name": "x", "connection_name": "y"}, "body.connection_name"},
		{map[string]any{"connection_name": []string{}}, "body.connection_name"},
	} {
		for _, operation := range []string{"test", "connect"} {
			more := map[string]any{"name": "x"}
			maps.Copy(more, tt.more)
			w := r.database("alice", operation, databaseForm(t, more))
			require.Equal(t, tt.at, problem(t, w, http.StatusUnprocessableEntity).Errors[0].Location, "%v", tt.more)
			require.NotContains(t, w.Body.String(), canary)
		}
	}
	for _, name := range []string{"", " ", strings.Repeat("x", 65), "a\u202eb"} {
		p := problem(t, r.database("alice", "connect", databaseForm(t, map[string]any{"name": name})), http.StatusUnprocessableEntity)
		require.Equal(t, "body.name", p.Errors[0].Location)
		p = problem(t, r.database("alice", "connect", databaseForm(t, map[string]any{"connection_name": name})), http.StatusUnprocessableEntity)
		require.Equal(t, "body.connection_name", p.Errors[0].Location)
	}
	unnamed := problem(t, r.database("alice", "connect", databaseForm(t, nil)), http.StatusUnprocessableEntity)
	require.Equal(t, "body.connection_name", unnamed.Errors[0].Location, "as the form calls it")
	problem(t, r.database("alice", "test", databaseForm(t, map[string]any{"user_id": "bob"})), http.StatusForbidden)
	problem(t, r.database("alice", "test", `{"db_type":"postgres"`), http.StatusBadRequest)
	problem(t, r.database("alice", "test", `[]`), http.StatusUnprocessableEntity)
	require.Equal(t, before, r.rows())
	require.EqualValues(t, 0, r.paper.Opened.Load())
	require.NotContains(t, r.logs.String(), canary)
}

func TestDatabaseComesAndGoes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.database("alice", "connect", databaseForm(t, map[string]any{"connection_name": "My Analytics DB"}))
	made := decoded[map[string]string](t, w, http.StatusCreated)
	require.Empty(t, cmp.Diff(map[string]string{"db_id": made["db_id"], "name": "My Analytics DB", "status": "connected"}, made))
	taken := problem(t, r.database("alice", "connect", databaseForm(t, map[string]any{"name": "My Analytics DB"})), http.StatusConflict)
	require.Equal(t, "name_taken", taken.Code)
	writable := r.connectDatabase("alice", "Ledger")
	r.paper.Refuse(&connector.Error{Reason: "no " + canary})
	failed := problem(t, r.database("alice", "connect", databaseForm(t, map[string]any{"name": "third"})), http.StatusBadGateway)
	require.Equal(t, "connection_failed", failed.Code)
	require.Equal(t, "not connected: no [redacted]", failed.Detail)
	r.paper.Refuse(nil)

	list := r.databases("alice")
	require.Len(t, list, 2)
	require.False(t, list[0].CreatedAt.IsZero())
	list[0].CreatedAt = list[1].CreatedAt
	require.Empty(t, cmp.Diff(api.Database{
		ID: made["db_id"], Name: "My Analytics DB", Type: "postgres", Host: "analytics.db.example.com", Place: "analytics.db.example.com:5432/campaigns",
		Status: "connected", CreatedAt: list[1].CreatedAt,
	}, list[0]))
	require.True(t, list[1].AllowWrites)
	require.Empty(t, r.databases("bob"))

	absent := problem(t, r.database("bob", "disconnect", `{"db_id":"`+writable+`"}`), http.StatusUnprocessableEntity)
	require.Equal(t, "body.db_id", absent.Errors[0].Location)
	w = r.database("alice", "disconnect", `{"db_id":"`+writable+`"}`)
	require.JSONEq(t, `{"success":true,"db_id":"`+writable+`","name":"Ledger","status":"disconnected"}`, w.Body.String())
	problem(t, r.database("alice", "disconnect", `{"db_id":"`+writable+`"}`), http.StatusUnprocessableEntity)
	require.Len(t, r.databases("alice"), 1)

	for _, table := range []string{"connections", "audit_events", "idempotency_keys"} {
		found := 0
		require.NoError(t, r.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM "+table+" x WHERE x::text LIKE '%"+canary+"%'").Scan(&found))
		require.Zero(t, found, table)
	}
	require.NotContains(t, r.logs.String(), canary)
}

func TestDatabaseIsConnectedOnceForAKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	connect := func(more map[string]any) *httptest.ResponseRecorder {
		return r.database("alice", "connect", databaseForm(t, more), "Idempotency-Key", "k1")
	}
	first, again := connect(map[string]any{"name": "x"}), connect(map[string]any{"connection_name": "x"})
	require.Equal(t, http.StatusCreated, again.Code)
	require.Equal(t, first.Body.String(), again.Body.String())
	require.Empty(t, first.Header().Get("Idempotency-Replayed"))
	require.Equal(t, "true", again.Header().Get("Idempotency-Replayed"))
	require.Equal(t, "idempotency_mismatch", problem(t, connect(map[string]any{"name": "y"}), http.StatusUnprocessableEntity).Code)
	require.Len(t, r.databases("alice"), 1)
}

// A backend connects for its users, and for nobody else.
func TestBackendsConnectDatabasesForTheirUsers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := r.apiKey("user_123")
	connect := func(user string) call {
		return call{method: http.MethodPost, path: "/api/databases/connect", key: key, body: databaseForm(t, map[string]any{"user_id": user, "name": "x"})}
	}
	require.Equal(t, http.StatusCreated, r.do(connect("user_123")).Code)
	before := r.rows()
	for _, c := range []call{
		connect("alice"),
		connect(""), // its database's username names nobody
		{method: http.MethodPost, path: "/api/databases/test", key: key, body: databaseForm(t, map[string]any{"username": "user_123"})},
		{method: http.MethodPost, path: "/api/databases/disconnect", key: key, body: `{"user_id":"alice","db_id":"db_x"}`},
		{method: http.MethodPost, path: "/api/tools/execute", key: key, body: `{"user_id":"alice","action":"DB_QUERY_db_x","params":{}}`},
		{path: "/api/databases?user_id=alice", key: key},
		{path: "/api/tools?user_id=alice", key: key},
		{path: "/api/tools/health?user_id=alice&check=true", key: key},
		{path: "/api/tools?user_id=user_123", token: r.token("alice", auth.User)},
	} {
		problem(t, r.do(c), http.StatusForbidden)
	}
	require.Equal(t, before, r.rows())
	require.Len(t, r.databases("user_123"), 1)
	require.Empty(t, r.databases("alice"))
}
