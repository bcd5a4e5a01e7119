package google_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"steward/internal/connector"
	"steward/internal/connector/google"
)

func TestContentOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind string
		raw  string
		want google.Content
	}{
		{"text/plain", "x", google.Content{Type: "text/plain", Size: 1, Text: "x"}},
		{"Text/CSV; charset=iso-8859-1", "Gr\xfc\xdfe", google.Content{Type: "text/csv", Size: 5, Text: "Grüße"}},
		{"application/json", "{}", google.Content{Type: "application/json", Size: 2, Text: "{}"}},
		{"image/svg+xml", "<svg/>", google.Content{Type: "image/svg+xml", Size: 6, Text: "<svg/>"}},
		{"image/png", "\x89PNG", google.Content{Type: "image/png", Size: 4, Base64: "iVBORw=="}},
		{"", "abc", google.Content{Type: "application/octet-stream", Size: 3, Base64: "YWJj"}},
		{"text/plain", "", google.Content{Type: "text/plain"}},
	} {
		got, err := google.ContentOf(tt.kind, []byte(tt.raw))
		require.NoError(t, err)
		require.Equal(t, tt.want, got)
	}
	for _, size := range []int{google.LongestBinary, google.LongestBinary + 1} {
		_, err := google.ContentOf("image/png", make([]byte, size))
		require.Equal(t, size > google.LongestBinary, err != nil)
		require.Equal(t, err == nil, google.Readable("image/png", int64(size)))
	}
	require.True(t, google.Readable("text/plain; charset=utf-8", 10<<20))
	require.False(t, google.Readable("text/plain", 10<<20+1))
}

func TestReadContent(t *testing.T) {
	t.Parallel()
	got, err := google.ReadContent("text/plain", strings.NewReader("x"))
	require.NoError(t, err)
	require.Equal(t, "x", got.Text)
	_, err = google.ReadContent("text/plain", strings.NewReader(strings.Repeat("x", 10<<20+1)))
	e := &connector.Error{}
	require.ErrorAs(t, err, &e)
	require.True(t, e.Answered)
	broken := errors.New("reset")
	_, err = google.ReadContent("text/plain", iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
}

// FuzzContentOf reads files of any build: what comes out is text in UTF-8, and bounded.
func FuzzContentOf(f *testing.F) {
	f.Add("text/plain; charset=utf-16", []byte("\xff\xfe\x00"))
	f.Add("application/json", []byte("{}"))
	f.Add("image/png", []byte("\x89PNG"))
	f.Fuzz(func(t *testing.T, kind string, raw []byte) {
		c, err := google.ContentOf(kind, raw)
		if err != nil {
			return
		}
		require.True(t, utf8.ValidString(c.Text))
		require.LessOrEqual(t, len(c.Text), google.LongestText)
		require.True(t, c.Text == "" || c.Base64 == "")
		require.Equal(t, int64(len(raw)), c.Size)
	})
}
