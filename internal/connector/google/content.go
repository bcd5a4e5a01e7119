package google

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"

	"steward/internal/connector"
)

// Bounds of what one result holds of a file, in bytes. Text may be cut and is still worth reading; anything else is not.
const (
	LongestText   = 200 << 10
	LongestBinary = 512 << 10
)

// Content is what a file holds, as a tool's result has it: one of Text and Base64.
type Content struct {
	Type   string `json:"type" jsonschema:"media type"`
	Size   int64  `json:"size" jsonschema:"bytes"`
	Text   string `json:"text,omitempty" jsonschema:"the content of a file that is text"`
	Base64 string `json:"base64,omitempty" jsonschema:"the content of any other file, in base64 (RFC 4648 section 4)"`
	Cut    string `json:"cut,omitempty" jsonschema:"present if something is missing, and says what"`
}

// ContentOf makes the content of a file of that media type, which may have parameters such as a charset. Its error is
// an *connector.Error for a file that is too large to be passed on.
func ContentOf(mediaType string, raw []byte) (Content, error) {
	c := Content{Type: bare(mediaType), Size: int64(len(raw))}
	if !isText(c.Type) {
		if len(raw) > LongestBinary {
			return c, TooLarge(c.Size)
		}
		c.Base64 = base64.StdEncoding.EncodeToString(raw)
		return c, nil
	}
	c.Text, c.Cut = CutText(UTF8(raw, mediaType))
	return c, nil
}

// mostRead bounds what is read of a file in order to say how large it is.
const mostRead = 10 << 20

// ReadContent is ContentOf for what a reader gives.
func ReadContent(mediaType string, r io.Reader) (Content, error) {
	raw, err := io.ReadAll(io.LimitReader(r, mostRead+1))
	if err != nil {
		return Content{}, err
	}
	if len(raw) > mostRead {
		return Content{}, TooLarge(int64(len(raw)))
	}
	return ContentOf(mediaType, raw)
}

// TooLarge is the answer for a file of that many bytes, or more.
func TooLarge(size int64) *connector.Error {
	return &connector.Error{Answered: true, Reason: fmt.Sprintf("the file has %d bytes or more: files up to %d bytes can be read, and the beginning of texts up to %d", size, LongestBinary, mostRead)}
}

// Readable says whether a file can be read at all, before it is fetched.
func Readable(mediaType string, size int64) bool {
	if isText(bare(mediaType)) {
		return size <= mostRead
	}
	return size <= LongestBinary
}

// CutText bounds a text, and says so if it does.
func CutText(text string) (head, note string) {
	if len(text) <= LongestText {
		return text, ""
	}
	end := LongestText
	for end > 0 && !utf8.RuneStart(text[end]) { // not inside of a character
		end--
	}
	return text[:end], fmt.Sprintf("the text has %d bytes, of which the first %d are here", len(text), end)
}

// texts are the media types of texts that are not below text/ and do not say so by their suffix (RFC 6838 §4.2.8).
var texts = []string{
	"application/json", "application/ld+json", "application/x-ndjson", "application/xml", "application/xhtml+xml", "application/javascript",
	"application/yaml", "application/x-yaml", "application/toml", "application/sql", "application/x-sh", "application/csv", "message/rfc822",
}

func isText(bare string) bool {
	return strings.HasPrefix(bare, "text/") || strings.HasSuffix(bare, "+json") || strings.HasSuffix(bare, "+xml") || slices.Contains(texts, bare)
}

// bare is a media type without its parameters.
func bare(mediaType string) string {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	if mediaType = strings.ToLower(strings.TrimSpace(mediaType)); mediaType == "" {
		return "application/octet-stream"
	}
	return mediaType
}

// UTF8 decodes text by the charset that its media type names. Google has done so for most: what is UTF-8 stays as it is.
func UTF8(raw []byte, mediaType string) string {
	if utf8.Valid(raw) {
		return string(raw)
	}
	if _, parameters, err := mime.ParseMediaType(mediaType); err == nil {
		if r, err := charset.NewReaderLabel(parameters["charset"], bytes.NewReader(raw)); err == nil {
			if decoded, err := io.ReadAll(r); err == nil {
				raw = decoded
			}
		}
	}
	return strings.ToValidUTF8(string(raw), "\uFFFD")
}
