package mailbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"steward/dev/sandbox"
	"steward/dev/sandbox/mailbox"
	"steward/internal/mcpclient"
)

// TestMain turns the test binary into the server: tests talk to a real child.
func TestMain(m *testing.M) {
	if len(os.Args) < 4 || os.Args[1] != "serve" {
		os.Exit(m.Run())
	}
	if err := mailbox.Run(context.Background(), mailbox.Options{Mail: os.Args[2], Outbox: os.Args[3]}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// box is a running server with its folders.
type box struct {
	mail, outbox string
	pool         *mcpclient.Pool
	target       mcpclient.Target
	tools        map[string]mcpclient.Tool
}

func start(t *testing.T) *box {
	t.Helper()
	dir := t.TempDir()
	b := &box{mail: filepath.Join(dir, "mail"), outbox: filepath.Join(dir, "outbox"), tools: map[string]mcpclient.Tool{}}
	var err error
	b.pool, err = mcpclient.New(mcpclient.Options{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, b.pool.Close(ctx))
	})
	b.target = mcpclient.Target{Name: "mailbox", Stdio: &mcpclient.Stdio{
		Command: os.Args[0], Args: []string{"serve", b.mail, b.outbox},
	}}
	tools, err := b.pool.Tools(t.Context(), b.target)
	require.NoError(t, err)
	for _, tool := range tools {
		b.tools[tool.Name] = tool
	}
	return b
}

// use calls a tool, checks its answer against its own output schema and decodes it.
func use[T any](t *testing.T, b *box, tool string, args any, key string) T {
	t.Helper()
	res := b.raw(t, tool, args, key)
	require.False(t, res.IsError, res.Text())
	var schema jsonschema.Schema
	require.NoError(t, json.Unmarshal(b.tools[tool].OutputSchema, &schema))
	resolved, err := schema.Resolve(nil)
	require.NoError(t, err)
	var value any
	require.NoError(t, json.Unmarshal(res.Structured, &value))
	require.NoError(t, resolved.Validate(value))
	var out T
	require.NoError(t, json.Unmarshal(res.Structured, &out))
	return out
}

func (b *box) raw(t *testing.T, tool string, args any, key string) *mcpclient.Result {
	t.Helper()
	encoded, err := json.Marshal(args)
	require.NoError(t, err)
	res, err := b.pool.Call(t.Context(), b.target, mcpclient.Call{Tool: tool, Arguments: encoded, CallKey: key})
	require.NoError(t, err)
	return res
}

// today is any day: the sample's dates follow it.
var today = time.Date(2026, 11, 21, 8, 30, 0, 0, time.UTC)

type args = map[string]any

type found struct {
	Emails []struct {
		ID, From, To, Subject, Snippet string
		Date                           time.Time
	}
	Total int
}

func ids(f found) []string {
	var ids []string
	for _, e := range f.Emails {
		ids = append(ids, e.ID)
	}
	return ids
}

type email struct {
	ID, From, To, Subject, Body string
	Date                        time.Time
}

func TestDefinitions(t *testing.T) {
	t.Parallel()
	b := start(t)
	hints := func(tool mcpclient.Tool) [4]bool {
		return [4]bool{*tool.ReadOnly, *tool.Destructive, *tool.Idempotent, *tool.OpenWorld}
	}
	got := map[string][4]bool{}
	for name, tool := range b.tools {
		got[name] = hints(tool)
		require.NotEmpty(t, tool.Title, name)
		require.NotEmpty(t, tool.Description, name)
		require.NotNil(t, tool.OutputSchema, name)
	}
	require.Equal(t, map[string][4]bool{ // read-only, destructive, idempotent, open world
		"search_emails": {true, false, true, true},
		"get_email":     {true, false, true, true},
		"send_email":    {false, true, false, true},
		"find_sent":     {true, false, true, false},
	}, got)
	require.JSONEq(t, `{"tool":"find_sent","argument":"key"}`, string(b.tools["send_email"].Meta[sandbox.ProbeMeta]))
	require.JSONEq(t, `true`, string(b.tools["find_sent"].Meta[sandbox.ProbeOnlyMeta]))
	require.Equal(t, mcpclient.CallKeyMeta, sandbox.CallKeyMeta)
}

var amount = regexp.MustCompile(`Amount due: ([A-Z]{3}) ([0-9,]+)\.([0-9]{2})`)

// add sums an amount in cents by currency.
func add(t *testing.T, sums map[string]int, body string) {
	t.Helper()
	if m := amount.FindStringSubmatch(body); m != nil {
		cents, err := strconv.Atoi(strings.ReplaceAll(m[2], ",", "") + m[3])
		require.NoError(t, err)
		sums[m[1]] += cents
	}
}

// What the automation of the first scenario has to find, from the tools and from the files themselves.
func TestSampleInvoicesOfLastWeek(t *testing.T) {
	t.Parallel()
	for _, now := range []time.Time{
		today,
		time.Date(2027, 1, 1, 0, 5, 0, 0, time.UTC),
		time.Date(2028, 3, 1, 23, 55, 0, 0, time.FixedZone("", 9*3600)),
	} {
		b := start(t)
		require.NoError(t, mailbox.WriteSample(b.mail, now))
		after := now.UTC().AddDate(0, 0, -7).Format(time.DateOnly)
		list := use[found](t, b, "search_emails", args{"query": "invoices", "after": after}, "")
		byTools := map[string]int{}
		for _, e := range list.Emails {
			require.True(t, e.Date.Before(now))
			add(t, byTools, use[email](t, b, "get_email", args{"id": e.ID}, "").Body)
		}
		require.Len(t, list.Emails, list.Total)

		byFiles := map[string]int{}
		for id, date := range datesOf(t, b.mail) {
			if !date.Before(now.UTC().AddDate(0, 0, -7).Truncate(24 * time.Hour)) {
				add(t, byFiles, use[email](t, b, "get_email", args{"id": id}, "").Body)
			}
		}
		want := map[string]int{"EUR": 123450 + 9625 + 240000, "USD": 82000}
		require.Equal(t, want, byTools)
		require.Equal(t, want, byFiles)
	}
}

// datesOf reads the mails' dates without the code under test.
func datesOf(t *testing.T, dir string) map[string]time.Time {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	require.NoError(t, err)
	require.Len(t, files, 14)
	dates := map[string]time.Time{}
	for _, name := range files {
		f, err := os.Open(name)
		require.NoError(t, err)
		m, err := mail.ReadMessage(f)
		require.NoError(t, errors.Join(err, f.Close()), name)
		date, err := m.Header.Date()
		require.NoError(t, err, name)
		dates[strings.TrimSuffix(filepath.Base(name), ".eml")] = date
	}
	return dates
}

func TestSearch(t *testing.T) {
	t.Parallel()
	b := start(t)
	now := today
	require.NoError(t, mailbox.WriteSample(b.mail, now))
	day := func(ago int) string { return now.UTC().AddDate(0, 0, -ago).Format(time.DateOnly) }
	tests := map[string]struct {
		in   args
		want []string
	}{
		"all words, any number": {args{"query": "subscriptions INVOICE acme"}, []string{"invoice-acme", "invoice-older-acme"}},
		"a word in the body":    {args{"query": "chairs"}, []string{"invoice-northwind"}},
		"a word in HTML":        {args{"query": "finance favourite"}, []string{"newsletter-finance"}},
		"not in a script":       {args{"query": "track"}, nil},
		"a word in base64":      {args{"query": "Marta Lind"}, []string{"invoice-studio"}},
		"across a soft break":   {args{"query": "tickets besançon"}, []string{"travel"}},
		"sender":                {args{"from": "HÜTTEL"}, []string{"invoice-hosting"}},
		"subject":               {args{"subject": "re: kick"}, []string{"meeting"}},
		"after is included":     {args{"query": "invoice", "after": day(3), "before": day(2)}, []string{"invoice-acme"}},
		"before is not":         {args{"query": "invoice", "after": day(5), "before": day(3)}, []string{"invoice-northwind"}},
		"nothing":               {args{"query": "unicorn"}, nil},
		"limit, newest first":   {args{"query": "invoice", "limit": 2}, []string{"invoice-hosting", "hostile"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := use[found](t, b, "search_emails", tt.in, "")
			require.Empty(t, cmp.Diff(tt.want, ids(got)))
			require.GreaterOrEqual(t, got.Total, len(got.Emails))
			for _, e := range got.Emails {
				require.NotContains(t, e.Snippet, "\n")
			}
		})
	}
	all := use[found](t, b, "search_emails", args{}, "")
	require.Equal(t, 14, all.Total)
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	b := start(t)
	require.NoError(t, mailbox.WriteSample(b.mail, today))
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(b.mail), "secret.eml"), []byte("Subject: x\n\nhidden"), 0o600))
	for name, tt := range map[string]struct {
		tool string
		in   args
	}{
		"no date":       {"search_emails", args{"after": "yesterday"}},
		"limit":         {"search_emails", args{"limit": 101}},
		"unknown id":    {"get_email", args{"id": "nope"}},
		"traversal":     {"get_email", args{"id": "../secret"}},
		"no address":    {"send_email", args{"to": "nobody", "subject": "s", "body": "b"}},
		"empty key":     {"find_sent", args{"key": ""}},
		"missing field": {"send_email", args{"to": "a@b.example"}},
	} {
		res := b.raw(t, tt.tool, tt.in, "")
		require.True(t, res.IsError, name)
		require.NotContains(t, res.Text(), b.mail, name)
	}
	require.NoError(t, os.Symlink(filepath.Join(filepath.Dir(b.mail), "secret.eml"), filepath.Join(b.mail, "link.eml")))
	require.True(t, b.raw(t, "get_email", args{"id": "link"}, "").IsError, "a link out of the folder")
	require.Equal(t, 14, use[found](t, b, "search_emails", args{}, "").Total)
	require.Empty(t, outbox(t, b))
}

func TestMailboxIsReadAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	b := start(t)
	require.Zero(t, use[found](t, b, "search_emails", args{}, "").Total)
	for i := range 5 {
		name := filepath.Join(b.mail, fmt.Sprintf("m%d.eml", i))
		require.NoError(t, os.WriteFile(name, []byte("Subject: hello\r\nDate: Mon, 2 Jan 2006 15:04:05 +0000\r\n\r\nhi"), 0o600))
		require.Equal(t, i+1, use[found](t, b, "search_emails", args{}, "").Total)
	}
	require.NoError(t, os.Remove(filepath.Join(b.mail, "m0.eml")))
	require.Equal(t, 4, use[found](t, b, "search_emails", args{}, "").Total)
}

type sent struct {
	MessageID string `json:"message_id"`
}

type probe struct {
	Outcome   string
	MessageID string `json:"message_id"`
}

func outbox(t *testing.T, b *box) []*mail.Message {
	t.Helper()
	files, err := os.ReadDir(b.outbox)
	require.NoError(t, err)
	var mails []*mail.Message
	for _, file := range files {
		f, err := os.Open(filepath.Join(b.outbox, file.Name()))
		require.NoError(t, err)
		m, err := mail.ReadMessage(f)
		require.NoError(t, err)
		body, err := io.ReadAll(m.Body)
		require.NoError(t, errors.Join(err, f.Close()))
		m.Body = strings.NewReader(string(body))
		mails = append(mails, m)
	}
	return mails
}

func TestSendAndProbe(t *testing.T) {
	t.Parallel()
	b := start(t)
	const key = "run-7/step-2/ü"
	require.Equal(t, probe{Outcome: "not_done"}, use[probe](t, b, "find_sent", args{"key": key}, ""))

	out := use[sent](t, b, "send_email", args{
		"to": "Ann <ann@partner.example>, bob@partner.example", "subject": "Totals\r\nBcc: thief@evil.example für Ann", "body": "EUR 1\n= fin =",
	}, key)
	require.Equal(t, probe{"done", out.MessageID}, use[probe](t, b, "find_sent", args{"key": key}, ""))
	require.Equal(t, probe{Outcome: "not_done"}, use[probe](t, b, "find_sent", args{"key": "another"}, ""))

	mails := outbox(t, b)
	require.Len(t, mails, 1)
	h := mails[0].Header
	require.Equal(t, `"Ann" <ann@partner.example>, <bob@partner.example>`, h.Get("To"))
	require.Empty(t, h.Get("Bcc"))
	require.Equal(t, out.MessageID, h.Get("Message-ID"))
	subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, "Totals\r\nBcc: thief@evil.example für Ann", subject)

	again := use[sent](t, b, "send_email", args{"to": "ann@partner.example", "subject": "Totals", "body": ""}, key)
	require.NotEqual(t, out.MessageID, again.MessageID)
	require.Len(t, outbox(t, b), 2, "a repeated call is a second mail, on purpose")
	use[sent](t, b, "send_email", args{"to": "ann@partner.example", "subject": "s", "body": "b"}, "")
	require.Len(t, outbox(t, b), 3)
}

func TestManyMailsAndCallers(t *testing.T) {
	t.Parallel()
	b := start(t)
	require.NoError(t, mailbox.WriteBulk(b.mail, 10_000, today))
	require.Equal(t, 1000, use[found](t, b, "search_emails", args{"query": "invoice", "limit": 1}, "").Total)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // 50 searches take 0.1 s
	defer cancel()
	for i := range 50 {
		res, err := b.pool.Call(ctx, b.target, mcpclient.Call{
			Tool: "search_emails", Arguments: json.RawMessage(fmt.Sprintf(`{"query":"invoices B-%05d"}`, i*10)),
		})
		require.NoError(t, err)
		require.Contains(t, res.Text(), `"total":1}`)
	}

	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			if _, err := b.pool.Call(t.Context(), b.target, mcpclient.Call{
				Tool: "send_email", Arguments: json.RawMessage(`{"to":"a@b.example","subject":"s","body":"b"}`),
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Len(t, outbox(t, b), 64)
}
