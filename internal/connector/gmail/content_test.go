package gmail

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	gmailapi "google.golang.org/api/gmail/v1"

	"steward/internal/connector/google"
)

func part(kind, text string, headers ...*gmailapi.MessagePartHeader) *gmailapi.MessagePart {
	return &gmailapi.MessagePart{
		MimeType: kind, Headers: headers,
		Body: &gmailapi.MessagePartBody{Data: base64.URLEncoding.EncodeToString([]byte(text)), Size: int64(len(text))},
	}
}

func multipart(kind string, parts ...*gmailapi.MessagePart) *gmailapi.MessagePart {
	return &gmailapi.MessagePart{MimeType: "multipart/" + kind, Parts: parts}
}

func head(name, value string) *gmailapi.MessagePartHeader {
	return &gmailapi.MessagePartHeader{Name: name, Value: value}
}

func file(name string) *gmailapi.MessagePart {
	return &gmailapi.MessagePart{MimeType: "application/pdf", Filename: name, Body: &gmailapi.MessagePartBody{AttachmentId: "x", Size: 9}}
}

func TestContent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		root  *gmailapi.MessagePart
		text  string
		files []string
	}{
		{"nothing", nil, "", nil},
		{"plain", part("text/plain", " x \n"), "x", nil},
		{"plain before HTML", multipart("alternative", part("text/html", "<p>html"), part("text/plain", "plain")), "plain", nil},
		{"HTML where plain says nothing", multipart("alternative", part("text/plain", " \n"), part("text/html", "<p>html")), "html", nil},
		{"HTML within related", multipart("alternative", multipart("related", part("text/html", "<p>html"), file("logo.png"))), "html", []string{"logo.png"}},
		{"footer of a mailing list", multipart("mixed", part("text/html", "<p>text"), part("text/plain", "footer")), "text\n\nfooter", nil},
		{"files", multipart("mixed", part("text/plain", "see"), file("=?utf-8?q?B=C3=A4r.pdf?=")), "see", []string{"Bär.pdf"}},
		{"a text file", multipart("mixed", part("text/plain", "see"), part("text/plain", "no", head("Content-Disposition", "Attachment; x=y"))), "see", []string{""}},
		{"a mail inside", multipart("mixed", part("text/plain", "see"), multipart2("message/rfc822", part("text/plain", "no"))), "see", []string{""}},
		{"another charset", part("text/plain", "Gr\xfc\xdfe", head("Content-Type", "text/plain; charset=iso-8859-1")), "Grüße", nil},
		{"UTF-8 in spite of what it says", part("text/plain", "Grüße", head("Content-Type", "text/plain; charset=iso-8859-1")), "Grüße", nil},
		{"no charset at all", part("text/plain", "Gr\xfc\xdfe", head("Content-Type", "text/plain; charset=nonsense")), "Gr\uFFFDe", nil},
		{"damaged", &gmailapi.MessagePart{MimeType: "text/plain", Body: &gmailapi.MessagePartBody{Data: "%%%"}}, "", nil},
		{"kept beside the mail", &gmailapi.MessagePart{MimeType: "text/plain", Body: &gmailapi.MessagePartBody{AttachmentId: "big"}}, "fetched", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newContent(func(id string) (string, error) {
				require.Equal(t, "big", id)
				return base64.RawURLEncoding.EncodeToString([]byte("fetched")), nil
			})
			text, err := c.text(tt.root)
			require.NoError(t, err)
			require.Equal(t, tt.text, text)
			var files []string
			for _, a := range c.attachments {
				files = append(files, a.Name)
			}
			require.Equal(t, tt.files, files)
			require.False(t, c.skipped)
		})
	}
}

func multipart2(kind string, parts ...*gmailapi.MessagePart) *gmailapi.MessagePart {
	return &gmailapi.MessagePart{MimeType: kind, Parts: parts}
}

func TestContentIsBounded(t *testing.T) {
	t.Parallel()
	deep := part("text/plain", "bottom")
	for range 1000 {
		deep = multipart("mixed", deep)
	}
	wide := multipart("mixed")
	for range 10_000 {
		wide.Parts = append(wide.Parts, part("text/plain", "x"))
	}
	for _, root := range []*gmailapi.MessagePart{deep, wide} {
		c := newContent(nil)
		_, err := c.text(root)
		require.NoError(t, err)
		require.True(t, c.skipped)
	}
}

func TestContentThatCannotBeFetched(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	c := newContent(func(string) (string, error) { return "", gone })
	_, err := c.text(multipart("alternative", &gmailapi.MessagePart{MimeType: "text/plain", Body: &gmailapi.MessagePartBody{AttachmentId: "big"}}))
	require.ErrorIs(t, err, gone)
}

// FuzzContent reads messages of any build, as Gmail's JSON may hold them.
func FuzzContent(f *testing.F) {
	for _, root := range []*gmailapi.MessagePart{
		part("text/html", "<p>x"), multipart("alternative", part("text/plain", "x"), multipart("mixed", file("a"))),
		part("text/plain", "\xff", head("Content-Type", "text/plain; charset=utf-16")),
	} {
		doc, err := json.Marshal(root)
		require.NoError(f, err)
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var root gmailapi.MessagePart
		if json.Unmarshal(doc, &root) != nil {
			return
		}
		c := newContent(func(string) (string, error) { return "eA", nil })
		text, err := c.text(&root)
		require.NoError(t, err)
		require.True(t, utf8.ValidString(text))
		body, _ := google.CutText(text)
		require.True(t, utf8.ValidString(body))
		require.LessOrEqual(t, len(body), google.LongestText)
	})
}
