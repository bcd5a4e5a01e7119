package google

import (
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Mail is one to put into a mailbox.
type Mail struct {
	From, To, Subject, Body string
	Date                    time.Time // now when zero
	HTML                    bool      // what Body is
}

// Deliver puts a mail into an account's inbox and returns its id.
func (s *Server) Deliver(t testing.TB, address string, m Mail) string {
	t.Helper()
	if m.Date.IsZero() {
		m.Date = time.Now()
	}
	kind := "plain"
	if m.HTML {
		kind = "html"
	}
	return s.DeliverRaw(t, address, fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nContent-Type: text/%s; charset=utf-8\r\n\r\n%s",
		m.From, m.To, m.Subject, m.Date.Format(time.RFC1123Z), kind, m.Body))
}

// DeliverRaw puts a mail as it goes over the wire (RFC 5322) into an account's inbox and returns its id.
func (s *Server) DeliverRaw(t testing.TB, address, raw string) string {
	t.Helper()
	var answer struct{ ID string }
	body := map[string]any{"raw": base64.URLEncoding.EncodeToString([]byte(raw)), "labelIds": []string{"INBOX", "UNREAD"}}
	require.NoError(t, s.call(t.Context(), address, http.MethodPost, s.mailbox(t, address)+"messages/import", body, &answer))
	return answer.ID
}

// Message is a mail in a mailbox.
type Message struct {
	ID, Thread string
	Labels     []string
	Header     mail.Header
	Subject    string // decoded
	Body       string // decoded, of a mail without parts
}

// Sent lists what an account has sent, the newest first.
func (s *Server) Sent(t testing.TB, address string) []Message {
	t.Helper()
	return s.labelled(t, address, "SENT")
}

// Drafts lists the drafts of an account, the newest first.
func (s *Server) Drafts(t testing.TB, address string) []Message {
	t.Helper()
	return s.labelled(t, address, "DRAFT")
}

// Delete removes a message as a person does: for good.
func (s *Server) Delete(t testing.TB, address, id string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, s.upstream.String()+s.mailbox(t, address)+"messages/"+id, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+s.own[address])
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
}

func (s *Server) labelled(t testing.TB, address, label string) []Message {
	t.Helper()
	var list struct{ Messages []struct{ ID string } }
	path := s.mailbox(t, address) + "messages"
	require.NoError(t, s.call(t.Context(), address, http.MethodGet, path+"?maxResults=500&labelIds="+label, nil, &list))
	messages := make([]Message, 0, len(list.Messages))
	for _, m := range list.Messages {
		messages = append(messages, s.message(t, address, path+"/"+url.PathEscape(m.ID)))
	}
	return messages
}

func (s *Server) message(t testing.TB, address, path string) Message {
	t.Helper()
	var m struct {
		ID, ThreadID, Raw string
		LabelIDs          []string
	}
	require.NoError(t, s.call(t.Context(), address, http.MethodGet, path+"?format=raw", nil, &m))
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(m.Raw, "="))
	require.NoError(t, err)
	parsed, err := mail.ReadMessage(strings.NewReader(string(text)))
	require.NoError(t, err)
	subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
	require.NoError(t, err)
	body := parsed.Body
	switch parsed.Header.Get("Content-Transfer-Encoding") {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	decoded, err := io.ReadAll(body)
	require.NoError(t, err)
	return Message{ID: m.ID, Thread: m.ThreadID, Labels: m.LabelIDs, Header: parsed.Header, Subject: subject, Body: string(decoded)}
}
