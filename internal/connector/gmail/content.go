package gmail

import (
	"encoding/base64"
	"strings"

	gmailapi "google.golang.org/api/gmail/v1"

	"steward/internal/connector/google"
)

// Bounds of what is looked at in one mail, which a stranger has built.
const (
	deepest   = 20
	mostParts = 500
)

// content collects what a mail's parts hold.
type content struct {
	fetch       func(attachmentID string) (data string, err error)
	attachments []attachment
	files       []*gmailapi.MessagePart // the parts of the attachments
	skipped     bool                    // there was more than is looked at

	seen int
}

func newContent(fetch func(string) (string, error)) *content {
	return &content{fetch: fetch, attachments: []attachment{}}
}

// text is the mail's text, from text/plain where there is one and it says something, else from text/html.
func (c *content) text(root *gmailapi.MessagePart) (string, error) {
	text, err := c.part(root, 0)
	return strings.TrimSpace(text), err
}

func (c *content) part(part *gmailapi.MessagePart, depth int) (string, error) {
	if part == nil {
		return "", nil
	}
	if c.seen++; c.seen > mostParts || depth > deepest {
		c.skipped = true
		return "", nil
	}
	kind := strings.ToLower(part.MimeType)
	switch {
	case isAttachment(part, kind):
		c.attach(part)
		return "", nil
	case kind == "multipart/alternative":
		return c.best(part.Parts, depth)
	case strings.HasPrefix(kind, "multipart/"):
		return c.all(part.Parts, depth)
	case kind == "text/html":
		text, err := c.decode(part)
		return textOf(text), err
	case strings.HasPrefix(kind, "text/") || kind == "":
		return c.decode(part)
	}
	c.attach(part)
	return "", nil
}

// isAttachment says that a part is a file, not text to be read. A mail inside of a mail is one too.
func isAttachment(part *gmailapi.MessagePart, kind string) bool {
	disposition, _, _ := strings.Cut(headerOf(part, "Content-Disposition"), ";")
	return part.Filename != "" || strings.EqualFold(strings.TrimSpace(disposition), "attachment") || kind == "message/rfc822"
}

func (c *content) attach(part *gmailapi.MessagePart) {
	a := attachment{Name: decodeWords(part.Filename), Type: part.MimeType}
	if part.Body != nil {
		a.Size = part.Body.Size
	}
	c.attachments, c.files = append(c.attachments, a), append(c.files, part)
}

// best chooses among the forms of one text: plain if it says something, else the first that does.
func (c *content) best(parts []*gmailapi.MessagePart, depth int) (string, error) {
	best := ""
	for _, p := range parts {
		text, err := c.part(p, depth+1)
		if err != nil {
			return "", err
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		if best == "" || strings.EqualFold(p.MimeType, "text/plain") {
			best = text
		}
	}
	return best, nil
}

func (c *content) all(parts []*gmailapi.MessagePart, depth int) (string, error) {
	var texts []string
	for _, p := range parts {
		text, err := c.part(p, depth+1)
		if err != nil {
			return "", err
		}
		if text = strings.TrimSpace(text); text != "" {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "\n\n"), nil
}

// decode is the text of a part as UTF-8.
func (c *content) decode(part *gmailapi.MessagePart) (string, error) {
	raw, err := c.bytes(part)
	return google.UTF8(raw, headerOf(part, "Content-Type")), err
}

// bytes is what a part holds. A part that is damaged holds nothing; the mail's others may.
func (c *content) bytes(part *gmailapi.MessagePart) ([]byte, error) {
	if part.Body == nil {
		return nil, nil
	}
	data := part.Body.Data
	if data == "" && part.Body.AttachmentId != "" {
		var err error
		if data, err = c.fetch(part.Body.AttachmentId); err != nil {
			return nil, err
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(data, "=")) // Google pads, the emulator does not
	if err != nil {
		return nil, nil //nolint:nilerr // see above
	}
	return raw, nil
}
