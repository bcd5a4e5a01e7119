package gmail

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"steward/internal/connector"
)

// FuzzLetter: whatever the model writes, the mail has our headers, each once, and says what was written.
func FuzzLetter(f *testing.F) {
	f.Add("bob@example.com", "Hello", "A line\r\nanother")
	f.Add("Bob Bär <bob@example.com>", strings.Repeat("Größe ", 80), ".\r\n.\r\n")
	f.Add("\"a\\\r\n b\" <x@y.example>", "x\nBcc: z@z.example", "From here")
	f.Add("a@b.example, c@d.example", "=?utf-8?q?=0D=0ABcc:_x?=", "\x00")
	f.Add("group: a@b.example, c@d.example;", "?= =?", "=\n=")
	f.Fuzz(func(t *testing.T, to, subject, body string) {
		if !utf8.ValidString(to + subject + body) {
			return // arguments are JSON
		}
		session := &connector.Session{Account: "alice@example.com"}
		l, err := letterOf(session, connector.Call{ID: "call_1"}, sendInput{To: []string{to}, Subject: subject, Body: body})
		if err != nil {
			return
		}
		text, err := l.bytes()
		require.NoError(t, err)
		head, _, found := bytes.Cut(text, []byte("\r\n\r\n"))
		require.True(t, found)
		for line := range bytes.SplitSeq(head, []byte("\r\n")) {
			require.LessOrEqual(t, len(line), 998)
			require.NotContains(t, string(line), "\n")
			require.NotContains(t, string(line), "\r")
		}
		message, err := mail.ReadMessage(bytes.NewReader(text))
		require.NoError(t, err)
		var names []string
		for name, values := range message.Header {
			names = append(names, name)
			require.Len(t, values, 1, name)
		}
		slices.Sort(names)
		want := []string{"Content-Transfer-Encoding", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To", "X-Steward-Call"}
		if l.subject == "" {
			want = slices.DeleteFunc(want, func(name string) bool { return name == "Subject" })
		}
		require.Equal(t, want, names)
		parsed, err := message.Header.AddressList("To")
		require.NoError(t, err)
		require.Len(t, parsed, len(l.to))
		for i := range parsed {
			require.Equal(t, l.to[i].Address, parsed[i].Address)
		}
		if !strings.Contains(l.subject, "=?") {
			decoded, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
			require.NoError(t, err)
			require.Equal(t, strings.Join(strings.Fields(l.subject), " "), strings.Join(strings.Fields(decoded), " "))
		}
		written, err := io.ReadAll(quotedprintable.NewReader(message.Body))
		require.NoError(t, err)
		if !strings.Contains(body, "\r") {
			require.Equal(t, strings.ReplaceAll(body, "\n", "\r\n"), string(written))
		}
	})
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	want := receipt{Draft: "r-1", Thread: "t-1", At: 7}
	var got receipt
	require.NoError(t, json.Unmarshal([]byte(want.String()), &got))
	require.Equal(t, want, got)
	require.Equal(t, "<call_1@steward.invalid>", messageID("call_1", ""))
}
