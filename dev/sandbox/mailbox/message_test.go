package mailbox

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestParseMessage(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, subject, body string }{
		"plain":             {"Subject: s\r\n\r\nhello\r\nworld\r\n", "s", "hello\nworld"},
		"latin-1":           {"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nf\xfcr", "", "für"},
		"broken UTF-8":      {"Subject: \xff\r\n\r\n\xff", "\uFFFD", "\uFFFD"},
		"html":              {"Content-Type: text/html\r\n\r\n<p>a &lt;b&gt;</p><SCRIPT>x</a></Script>c<style>", "", "a <b>\nc"},
		"plain before html": {multi("text/html\r\n\r\n<b>no</b>", "text/plain\r\n\r\nyes"), "", "yes"},
		"only attachments":  {multi("image/png\r\n\r\nxxx", "application/pdf\r\n\r\nyyy"), "", ""},
		"cut short":         {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhalf", "", "half"},
		"bad base64":        {"Content-Transfer-Encoding: base64\r\n\r\naGVs!bG8=", "", "hel\n[the rest could not be read: illegal base64 data at input byte 4]"},
	} {
		m, err := parseMessage(strings.NewReader(tt.in))
		require.NoError(t, err, name)
		require.Equal(t, tt.subject, m.Subject, name)
		require.Equal(t, tt.body, m.Body, name)
	}
	nested := "Content-Type: text/plain\r\n\r\ndeep"
	for i := range 20 {
		nested = fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i) + nested
	}
	m, err := parseMessage(strings.NewReader("Subject: s\r\n" + nested))
	require.NoError(t, err)
	require.Contains(t, m.Body, "nested too deeply")
}

func multi(parts ...string) string {
	s := "Content-Type: multipart/alternative; boundary=b\r\n\r\n"
	for _, p := range parts {
		s += "--b\r\nContent-Type: " + p + "\r\n"
	}
	return s + "--b--\r\n"
}

func FuzzParseMessage(f *testing.F) {
	files, err := fs.Glob(sample, "sample/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		raw, err := sample.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parseMessage(bytes.NewReader(raw))
		if err != nil {
			return
		}
		require.True(t, utf8.ValidString(m.Body))
		require.True(t, utf8.ValidString(m.Subject))
		require.LessOrEqual(t, len(m.Body), maxBody)
		for _, w := range words(m.Body) {
			require.NotEmpty(t, w)
		}
	})
}

func TestStem(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"invoices": "invoice", "invoice": "invoice", "parties": "party", "class": "class", "bus": "bus", "is": "is",
	} {
		require.Equal(t, want, stem(in))
	}
}
