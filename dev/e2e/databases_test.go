package e2e_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/google"
	"steward/dev/stack/postgres"
	"steward/internal/secret"
)

// campaigns is the database of seed 002 on a server of its own: two campaigns of this week, and one of last year.
func campaigns(t *testing.T) map[string]any {
	t.Helper()
	server, err := postgres.Temporary(t.Context(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop(t.Context()) })
	admin, err := pgx.Connect(t.Context(), server.AdminURL("postgres").Reveal())
	require.NoError(t, err)
	defer func() { _ = admin.Close(t.Context()) }()
	for _, statement := range []string{
		`CREATE ROLE analyst LOGIN PASSWORD 'secret123'`,
		`CREATE TABLE campaigns (campaign_name text, spend int, clicks int, date date)`,
		`INSERT INTO campaigns VALUES ('Black Friday', 5000, 15000, CURRENT_DATE), ('Holiday Sale', 3000, 8000, CURRENT_DATE - 2), ('Summer', 1, 1, '2025-07-01')`,
		`GRANT SELECT ON campaigns TO analyst`,
	} {
		_, err := admin.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	at, err := url.Parse(server.URL("postgres", "analyst", secret.New("secret123")).Reveal())
	require.NoError(t, err)
	port, err := strconv.Atoi(at.Port())
	require.NoError(t, err)
	return map[string]any{
		"db_type": "postgres", "host": at.Hostname(), "port": port, "database": "postgres", "username": "analyst", "password": "secret123",
	}
}

// connectDatabase fills in the form under a name.
func (u *user) connectDatabase(form map[string]any, name string) string {
	u.t.Helper()
	body := map[string]any{"name": name}
	for field, value := range form {
		body[field] = value
	}
	a := u.do("POST", "/api/databases/connect", body)
	require.Equal(u.t, 201, a.status, "%s", a.body)
	var out struct {
		ID     string `json:"db_id"`
		Name   string `json:"name"`
		Status string `json:"status"`
	}
	require.NoError(u.t, json.Unmarshal(a.body, &out))
	require.Equal(u.t, name, out.Name)
	require.Equal(u.t, "connected", out.Status)
	return out.ID
}

// execute is POST /api/tools/execute with its answer.
func (u *user) execute(action string, params map[string]any) (status int, out executed) {
	u.t.Helper()
	a := u.do("POST", "/api/tools/execute", map[string]any{"action": action, "params": params})
	require.NoError(u.t, json.Unmarshal(a.body, &out), "%s", a.body)
	return a.status, out
}

type executed struct {
	Success bool            `json:"success"`
	Result  json.RawMessage `json:"result"`
	CallID  string          `json:"call_id"`
	Code    string          `json:"code"`
	Detail  string          `json:"detail"`
}

const lastWeek = "SELECT campaign_name, spend, clicks FROM campaigns WHERE date >= CURRENT_DATE - INTERVAL '7 days' ORDER BY spend DESC"

// Seed 002 from end to end: a Google account and a PostgreSQL are connected, an agent asks for its tools, queries the
// campaigns and mails the summary; then the same as one run.
func TestAgentQueriesADatabaseAndMailsTheSummary(t *testing.T) {
	t.Parallel()
	s, account := withGoogle(t)
	u := s.signIn(t, google.NewBrowser())
	form := campaigns(t)
	a := u.do("POST", "/api/databases/test", form)
	require.Equal(t, 200, a.status, "%s", a.body)
	require.JSONEq(t, `{"success":true,"message":"Connection successful"}`, string(a.body))
	id := u.connectDatabase(form, "My Analytics DB")

	a = u.do("GET", "/api/tools", nil)
	require.Equal(t, 200, a.status, "%s", a.body)
	var tools struct {
		Tools []struct{ Name, Description, Provider string }
	}
	require.NoError(t, json.Unmarshal(a.body, &tools))
	described := map[string]string{}
	for _, tool := range tools.Tools {
		described[tool.Name] = tool.Provider + ": " + tool.Description
	}
	require.Contains(t, described["DB_QUERY_"+id], "postgres: Query 'My Analytics DB' (PostgreSQL)")
	require.Contains(t, described["GMAIL_SEND_EMAIL"], "gmail: ")

	status, out := u.execute("DB_QUERY_"+id, map[string]any{"query": lastWeek})
	require.Equal(t, 200, status, out.Detail)
	require.JSONEq(t, `[{"campaign_name":"Black Friday","spend":5000,"clicks":15000},{"campaign_name":"Holiday Sale","spend":3000,"clicks":8000}]`, string(out.Result))
	status, out = u.execute("GMAIL_SEND_EMAIL", map[string]any{
		"recipient_email": "marketing@company.com", "subject": "Weekly Ad Campaign Summary", "body": "Total: $8,000 spent, 23,000 clicks",
	})
	require.Equal(t, 200, status, out.Detail)
	require.Contains(t, string(out.Result), `"status":"sent"`)
	require.Len(t, account.Sent(t, google.Alice), 1)

	run := u.accept(map[string]any{
		"connections":  []string{"gmail", id},
		"instructions": "Run " + lastWeek + "; and email the summary to marketing@company.com",
	})
	u.until(run, time.Minute, inState("waiting_for_approval"))
	require.Len(t, account.Sent(t, google.Alice), 1)
	u.decide(run, "approve")
	v := u.until(run, time.Minute, ended)
	require.Equal(t, "success", v.State, "%+v", v)
	sent := account.Sent(t, google.Alice)
	require.Len(t, sent, 2)
	require.Contains(t, sent[0].Body+sent[1].Body, "Total: clicks 23000, spend 8000")
	s.verified(t, run)

	a = u.do("POST", "/api/databases/disconnect", map[string]any{"db_id": id})
	require.Equal(t, 200, a.status, "%s", a.body)
	status, _ = u.execute("DB_QUERY_"+id, map[string]any{"query": "SELECT 1"})
	require.Equal(t, 404, status)
}

// The API is killed while four sends that agents have asked for stand at every point at which it can die; each mail stands
// exactly once, and whoever asks again with the same key learns what became of it.
func TestKilledInTheMiddleOfAnExecute(t *testing.T) {
	t.Parallel()
	s, account := withGoogle(t)
	u := s.signIn(t, google.NewBrowser())
	execute := func(i int) answer {
		return s.callWithKey(t.Context(), "/api/tools/execute", u.token, fmt.Sprintf("execute-%d", i), map[string]any{
			"action": "GMAIL_SEND_EMAIL",
			"params": map[string]any{"recipient_email": fmt.Sprintf("r%d@example.com", i), "subject": "Once", "body": "Once"},
		})
	}
	var holds []chan struct{}
	var lost sync.WaitGroup
	for i, point := range sendPoints {
		arrived, hold := make(chan struct{}, 1), make(chan struct{})
		holds = append(holds, hold)
		account.Inject(point.kind, 1, point.fault(arrived, hold))
		lost.Go(func() { execute(i) })
		select {
		case <-arrived:
		case <-time.After(time.Minute):
			require.FailNow(t, "nothing was sent", point.name)
		}
	}
	s.kill(t, "api")
	for _, hold := range holds {
		close(hold)
	}
	lost.Wait()
	for i, point := range sendPoints {
		var last answer
		require.Eventually(t, func() bool {
			last = execute(i)
			return last.status == http.StatusOK
		}, 3*time.Minute, 200*time.Millisecond, point.name)
		require.Contains(t, string(last.body), `"success":true`, point.name)
	}
	to := map[string]int{}
	for _, mail := range account.Sent(t, google.Alice) {
		to[mail.Header.Get("To")]++
	}
	for i, point := range sendPoints {
		require.Equal(t, 1, to[fmt.Sprintf("<r%d@example.com>", i)], "%s: %v", point.name, to)
	}
	require.Contains(t, s.steward(t, "audit", "verify"), "valid")
}
