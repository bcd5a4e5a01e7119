package mailbox

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits on a mail. What is longer is cut.
const (
	maxMail  = 4 << 20
	maxBody  = 256 << 10
	maxDepth = 8 // of multipart in multipart
)

// message is a parsed mail.
type message struct {
	From    string    `json:"from"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Date    time.Time `json:"date"`
	Body    string    `json:"body"`
}

// parseMessage reads RFC 5322 with MIME. A mail that is merely odd is read as well as possible; only one
// without any readable header is an error.
func parseMessage(r io.Reader) (*message, error) {
	m, err := mail.ReadMessage(io.LimitReader(r, maxMail))
	if err != nil {
		return nil, fmt.Errorf("reading a mail: %w", err)
	}
	date, err := m.Header.Date()
	if err != nil {
		date = time.Unix(0, 0)
	}
	body, err := readBody(m.Header, m.Body, maxDepth)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		body += fmt.Sprintf("\n[the rest could not be read: %v]", err)
	}
	return &message{
		From: header(m, "From"), To: header(m, "To"), Subject: header(m, "Subject"),
		Date: date.UTC(), Body: cut(strings.TrimSpace(body), maxBody),
	}, nil
}

func header(m *mail.Message, name string) string {
	raw := m.Header.Get(name)
	decoded, err := new(mime.WordDecoder).DecodeHeader(raw)
	if err != nil {
		decoded = raw
	}
	return cut(strings.ToValidUTF8(decoded, "\uFFFD"), 1<<10)
}

// part is a MIME header, of the mail or of one of its parts.
type part interface{ Get(name string) string }

func readBody(h part, r io.Reader, depth int) (string, error) {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		kind, params = "text/plain", nil
	}
	switch {
	case strings.HasPrefix(kind, "multipart/"):
		if depth == 0 {
			return "", errors.New("parts are nested too deeply")
		}
		return readParts(multipart.NewReader(r, params["boundary"]), depth)
	case !strings.HasPrefix(kind, "text/"):
		return "", nil // an attachment
	}
	text, err := decodeText(h.Get("Content-Transfer-Encoding"), params["charset"], r)
	if kind == "text/html" {
		text = htmlText(text)
	}
	return text, err
}

// readParts returns the first part with plain text, else all the text there is.
func readParts(mr *multipart.Reader, depth int) (string, error) {
	var texts []string
	for {
		p, err := mr.NextRawPart()
		if errors.Is(err, io.EOF) {
			return strings.Join(texts, "\n"), nil
		}
		if err != nil {
			return strings.Join(texts, "\n"), err
		}
		text, err := readBody(p.Header, p, depth-1)
		if kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type")); kind == "text/plain" || err != nil {
			return text, err
		}
		if text != "" {
			texts = append(texts, text)
		}
	}
}

func decodeText(encoding, charset string, r io.Reader) (string, error) {
	switch strings.ToLower(encoding) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	}
	raw, err := io.ReadAll(r)
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	switch strings.ToLower(charset) {
	case "iso-8859-1", "windows-1252", "latin1":
		runes := make([]rune, len(raw))
		for i, b := range raw {
			runes[i] = rune(b)
		}
		return string(runes), err
	}
	return strings.ToValidUTF8(string(raw), "\uFFFD"), err
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
