package gmail

import (
	"bytes"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode"
)

// mostRecipients bounds one mail; Gmail itself takes 500.
const mostRecipients = 100

// letter is a mail as it is written (RFC 5322).
type letter struct {
	from, call    string // the account's address; the ledger's id of the call
	to, cc, bcc   []*mail.Address
	subject, body string
	written       time.Time

	inReplyTo  string   // Message-ID of the mail that this one answers
	references []string // Message-IDs of the conversation, the oldest first
}

// addresses parses what the model wrote: each entry may name several receivers, separated by commas.
func addresses(argument string, entries []string) ([]*mail.Address, error) {
	var all []*mail.Address
	for _, entry := range entries {
		list, err := mail.ParseAddressList(entry)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is not a mail address", argument, entry)
		}
		all = append(all, list...)
	}
	return all, nil
}

// oneLine refuses text that would not stay in its header. Nothing of it reaches the header as it is anyway:
// it is encoded. But a subject of several lines is nothing that anybody meant.
func oneLine(argument, text string) (string, error) {
	text = strings.TrimSpace(text)
	if strings.ContainsFunc(text, unicode.IsControl) {
		return "", fmt.Errorf("%s: it must be one line of text", argument)
	}
	return text, nil
}

// messageID is ours, and the same for every attempt at the call: servers on the way that know it keep a second
// copy from the reader. Gmail may put one of its own in its place.
func messageID(call, account string) string {
	_, domain, found := strings.Cut(account, "@")
	if !found {
		domain = "steward.invalid"
	}
	return "<" + call + "@" + domain + ">"
}

// callHeader names our call in the mail: it is how a probe knows it. Gmail keeps it.
const callHeader = "X-Steward-Call"

// bytes writes the mail.
func (l letter) bytes() ([]byte, error) {
	var b bytes.Buffer
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	if l.from != "" {
		field("From", (&mail.Address{Address: l.from}).String())
	}
	field("To", list(l.to))
	field("Cc", list(l.cc))
	field("Bcc", list(l.bcc))
	field("Subject", encoded(l.subject))
	field("Date", l.written.Format(time.RFC1123Z))
	field("Message-ID", messageID(l.call, l.from))
	field(callHeader, l.call)
	field("In-Reply-To", l.inReplyTo)
	field("References", strings.Join(l.references, "\r\n "))
	field("MIME-Version", "1.0")
	field("Content-Type", "text/plain; charset=utf-8")
	field("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	body := quotedprintable.NewWriter(&b)
	if _, err := body.Write([]byte(l.body)); err != nil {
		return nil, fmt.Errorf("write body: %w", err)
	}
	if err := body.Close(); err != nil {
		return nil, fmt.Errorf("write body: %w", err)
	}
	return b.Bytes(), nil
}

// list writes addresses, one to a line: no line gets too long (RFC 5322 §2.1.1).
func list(addresses []*mail.Address) string {
	texts := make([]string, len(addresses))
	for i, a := range addresses {
		texts[i] = a.String()
	}
	return strings.Join(texts, ",\r\n ")
}

// encoded writes text as RFC 2047 has it where it is not plain ASCII, one encoded word to a line.
func encoded(text string) string {
	return strings.ReplaceAll(mime.QEncoding.Encode("utf-8", text), "?= =?", "?=\r\n =?")
}
