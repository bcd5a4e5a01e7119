package mailbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/dev/sandbox"
)

// callKeyHeader marks a mail with the call that sent it.
const callKeyHeader = "X-Call-Key"

// sender is who the outbox's mails come from.
const sender = "Sandbox <me@sandbox.invalid>"

type sendInput struct {
	To      string `json:"to" jsonschema:"recipients, separated by commas"`
	Subject string `json:"subject"`
	Body    string `json:"body" jsonschema:"plain text"`
}

type sendOutput struct {
	MessageID string `json:"message_id"`
}

type findInput struct {
	Key string `json:"key" jsonschema:"the call key that went along with send_email"`
}

type findOutput struct {
	Outcome   string `json:"outcome" jsonschema:"done or not_done"`
	MessageID string `json:"message_id,omitempty"`
}

func (m *mailbox) addSendTools(server *mcp.Server) {
	mcp.AddTool(server, &mcp.Tool{
		Name: "send_email", Title: "Send an email",
		Description: "Send an email. It cannot be taken back, and sending twice sends two.",
		Annotations: &mcp.ToolAnnotations{
			Title: "Send an email", ReadOnlyHint: false, IdempotentHint: false,
			DestructiveHint: new(true), OpenWorldHint: new(true),
		},
		Meta: mcp.Meta{
			sandbox.ProbeMeta:      map[string]string{"tool": "find_sent", "argument": "key"},
			sandbox.AddresseesMeta: []string{"to"},
		},
	}, m.send)
	mcp.AddTool(server, &mcp.Tool{
		Name: "find_sent", Title: "Find a sent email",
		Description: "Tell whether the call with this key sent its email.",
		Annotations: &mcp.ToolAnnotations{
			Title: "Find a sent email", ReadOnlyHint: true, IdempotentHint: true,
			DestructiveHint: new(false), OpenWorldHint: new(false),
		},
		Meta: mcp.Meta{sandbox.ProbeOnlyMeta: true},
	}, m.find)
}

// send never looks whether the same mail went out before: like the real thing, it relies on its caller.
func (m *mailbox) send(_ context.Context, req *mcp.CallToolRequest, in sendInput) (*mcp.CallToolResult, sendOutput, error) {
	to, err := mail.ParseAddressList(in.To)
	if err != nil {
		return nil, sendOutput{}, errors.New("to must be one or more email addresses, separated by commas")
	}
	key, _ := req.Params.Meta[sandbox.CallKeyMeta].(string)
	id := "<" + rand.Text() + "@sandbox.invalid>"
	raw, err := compose(to, in, id, key)
	if err != nil {
		return nil, sendOutput{}, err
	}
	if err := m.deliver(fileName(key), raw); err != nil {
		return nil, sendOutput{}, err
	}
	return nil, sendOutput{MessageID: id}, nil
}

func compose(to []*mail.Address, in sendInput, id, key string) ([]byte, error) {
	names := make([]string, len(to))
	for i, a := range to {
		names[i] = a.String()
	}
	var b bytes.Buffer
	line := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	line("From", sender)
	line("To", strings.Join(names, ", "))
	line("Subject", mime.QEncoding.Encode("utf-8", in.Subject)) // also keeps a line break from becoming a header
	line("Date", time.Now().UTC().Format(time.RFC1123Z))
	line("Message-ID", id)
	if key != "" {
		line(callKeyHeader, mime.QEncoding.Encode("utf-8", key))
	}
	line("MIME-Version", "1.0")
	line("Content-Type", "text/plain; charset=utf-8")
	line("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	body := quotedprintable.NewWriter(&b)
	if _, err := body.Write([]byte(in.Body)); err != nil {
		return nil, fmt.Errorf("encoding the body: %w", err)
	}
	if err := body.Close(); err != nil {
		return nil, fmt.Errorf("encoding the body: %w", err)
	}
	return b.Bytes(), nil
}

// deliver makes the mail appear at once or not at all, and keeps it over a crash.
func (m *mailbox) deliver(name string, raw []byte) error {
	tmp := "." + name + ".tmp"
	f, err := m.outbox.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing to the outbox: %w", err)
	}
	_, err = f.Write(raw)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = m.outbox.Rename(tmp, name)
	}
	if err != nil {
		return fmt.Errorf("writing to the outbox: %w", errors.Join(err, m.outbox.Remove(tmp)))
	}
	return nil
}

func (m *mailbox) find(_ context.Context, _ *mcp.CallToolRequest, in findInput) (*mcp.CallToolResult, findOutput, error) {
	if in.Key == "" {
		return nil, findOutput{}, errors.New("key must not be empty")
	}
	files, err := fs.ReadDir(m.outbox.FS(), ".")
	if err != nil {
		return nil, findOutput{}, fmt.Errorf("reading the outbox: %w", err)
	}
	prefix := keyPrefix(in.Key)
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), prefix) || !strings.HasSuffix(f.Name(), ".eml") {
			continue
		}
		key, id, err := m.headers(f.Name())
		if err != nil {
			return nil, findOutput{}, err
		}
		if key == in.Key {
			return nil, findOutput{Outcome: "done", MessageID: id}, nil
		}
	}
	return nil, findOutput{Outcome: "not_done"}, nil
}

func (m *mailbox) headers(name string) (key, id string, err error) {
	f, err := m.outbox.Open(name)
	if err != nil {
		return "", "", fmt.Errorf("reading the outbox: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	msg, err := mail.ReadMessage(f)
	if err != nil {
		return "", "", fmt.Errorf("reading the outbox: %w", err)
	}
	return header(msg, callKeyHeader), msg.Header.Get("Message-ID"), nil
}

// fileName begins with a digest of the call key, so that find need not open every mail.
func fileName(key string) string { return keyPrefix(key) + rand.Text() + ".eml" }

func keyPrefix(key string) string {
	if key == "" {
		return "nokey-"
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:8]) + "-"
}
