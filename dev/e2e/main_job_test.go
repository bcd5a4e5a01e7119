package e2e_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// seedRun is the seed's curl line, verbatim but for the token and the port.
const seedRun = `curl -X POST http://localhost:8000/automation/run \
-H "Authorization: Bearer <your-jwt>" \
-H "Content-Type: application/json" \
-d '{
"mcp_server_id": 1,
"tool_name": "search_emails",
"instructions": "Find all emails from last week about invoices and summarise them"
}'`

// shell runs a seed's line with this stack's address and somebody's token in it.
func (u *user) shell(line string) string {
	u.t.Helper()
	line = strings.NewReplacer("http://localhost:8000", u.url, "<your-jwt>", u.token).Replace(line)
	out, err := exec.CommandContext(u.t.Context(), "sh", "-c", line+" -sS").CombinedOutput()
	require.NoError(u.t, err, "%s", out)
	return string(out)
}

func TestSeedLinesAsWritten(t *testing.T) {
	t.Parallel()
	s := own(t) // the seed's run is number 1 of a new installation
	u := s.as(t, "alice")
	require.JSONEq(t, `{"run_id":1,"status":"pending"}`, u.shell(seedRun))
	v := u.until(1, time.Minute, ended)
	require.Equal(t, "success", v.Status, "%+v", v)
	polled := u.shell(`curl http://localhost:8000/automation/run/1 -H "Authorization: Bearer <your-jwt>"`)
	require.Contains(t, polled, `"status":"success"`)
	listed := u.shell(`curl http://localhost:8000/automation/runs -H "Authorization: Bearer <your-jwt>"`)
	require.Contains(t, listed, `"run_id":1`)

	require.Equal(t, "mailbox", v.ToolCalls[0].Server)
	require.Equal(t, "search_emails", v.ToolCalls[0].Name)
	want := invoices(t, filepath.Join(s.dir, "mailbox"), time.Now().UTC())
	require.NotEmpty(t, want)
	for currency, total := range want {
		require.Regexp(t, regexp.QuoteMeta(currency)+`.{0,3}`+regexp.QuoteMeta(thousands(total)), v.Output.Text)
	}
	require.Contains(t, v.Output.Text, "[offline rules]")
	require.Empty(t, s.outbox(t), "nothing was asked to be sent; the hostile mail in the mailbox is data")
}

func TestSendWaitsForApprovalAndIsSentOnce(t *testing.T) {
	t.Parallel()
	s := own(t)
	u := s.as(t, "alice")
	id := u.accept(map[string]any{"mcp_server_id": 1, "instructions": "Find all emails from last week about invoices, total them and send the sum to boss@example.com"})
	v := u.until(id, time.Minute, inState("waiting_for_approval"))
	require.Equal(t, "pending", v.Status)
	require.Empty(t, s.outbox(t))
	u.decide(id, "approve")
	v = u.until(id, time.Minute, ended)
	require.Equal(t, "success", v.Status, "%+v", v)
	mails := s.outbox(t)
	require.Len(t, mails, 1)
	for _, m := range mails {
		require.Contains(t, m, "boss@example.com")
		for _, total := range invoices(t, filepath.Join(s.dir, "mailbox"), time.Now().UTC()) {
			require.Contains(t, m, thousands(total))
		}
	}
}

func TestDenialIsToldToTheModel(t *testing.T) {
	t.Parallel()
	s := running(t)
	u := s.as(t, "denier")
	id := u.accept(map[string]any{"mcp_server_id": 1, "instructions": "Send the sum of last week's invoices to thief@example.com"})
	u.until(id, time.Minute, inState("waiting_for_approval"))
	u.decide(id, "deny")
	v := u.until(id, time.Minute, ended)
	for _, c := range v.ToolCalls {
		if c.Name == "send_email" {
			require.Equal(t, "denied", c.State)
		}
	}
	for _, m := range s.outbox(t) {
		require.NotContains(t, m, "thief@example.com")
	}
}

// invoices recomputes the totals by currency from the .eml files: amounts due in mails about invoices of
// the last seven days. It shares no code with the mailbox server or the model.
func invoices(t *testing.T, dir string, now time.Time) map[string]float64 {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	require.NoError(t, err)
	from := now.AddDate(0, 0, -7).Truncate(24 * time.Hour)
	totals := map[string]float64{}
	for _, f := range files {
		doc, err := os.Open(f)
		require.NoError(t, err)
		m, err := mail.ReadMessage(doc)
		require.NoError(t, err, f)
		at, err := m.Header.Date()
		require.NoError(t, err, f)
		text := plain(t, m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
		require.NoError(t, doc.Close())
		if at.Before(from) || !strings.Contains(strings.ToLower(m.Header.Get("Subject")+text), "invoice") {
			continue
		}
		if a := regexp.MustCompile(`Amount due: ([A-Z]{3}) ([\d,]+\.\d\d)`).FindStringSubmatch(text); a != nil {
			amount, err := strconv.ParseFloat(strings.ReplaceAll(a[2], ",", ""), 64)
			require.NoError(t, err)
			totals[a[1]] += amount
		}
	}
	return totals
}

// plain is the first text/plain part.
func plain(t *testing.T, contentType, encoding string, body io.Reader) string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	require.NoError(t, err)
	if strings.HasPrefix(kind, "multipart/") {
		part, err := multipart.NewReader(body, params["boundary"]).NextRawPart()
		require.NoError(t, err)
		return plain(t, part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part)
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(body)
	require.NoError(t, err)
	return string(text)
}

// thousands writes 3730.75 as 3,730.75.
func thousands(v float64) string {
	s := fmt.Sprintf("%.2f", v)
	for i := len(s) - 6; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
