package gmail_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/google"
	"steward/internal/connector/google/googletest"
)

func TestThread(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.Deliver(t, google.Alice, google.Mail{From: google.Bob, To: google.Alice, Subject: "Other", Body: "x"})
	a.DeliverRaw(t, google.Alice, "From: bob@example.com\r\nSubject: Plan\r\nMessage-ID: <plan@b.example>\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\nWell?")
	id := a.DeliverRaw(t, google.Alice, "From: bob@example.com\r\nSubject: Re: Plan\r\nIn-Reply-To: <plan@b.example>\r\nReferences: <plan@b.example>\r\nDate: Fri, 20 Nov 2026 11:00:00 +0000\r\n\r\nHello?")
	var mail struct{ ThreadID string }
	require.NoError(t, a.Call("GMAIL_GET_EMAIL", googletest.NewAttempt(fmt.Sprintf(`{"message_id":%q}`, id)), &mail))
	var got struct {
		ID, Cut string
		Emails  []letter
	}
	require.NoError(t, a.Call("GMAIL_GET_THREAD", googletest.NewAttempt(fmt.Sprintf(`{"thread_id":%q}`, mail.ThreadID)), &got))
	require.Equal(t, mail.ThreadID, got.ID)
	require.Len(t, got.Emails, 2)
	require.Equal(t, []string{"Well?", "Hello?"}, []string{got.Emails[0].Body, got.Emails[1].Body}, "the oldest first")
	require.Equal(t, id, got.Emails[1].ID)
	require.Empty(t, got.Cut)

	for range 2 {
		a.DeliverRaw(t, google.Alice, "From: bob@example.com\r\nSubject: Re: Plan\r\nReferences: <plan@b.example>\r\n\r\n"+strings.Repeat("long ", 30_000))
	}
	require.NoError(t, a.Call("GMAIL_GET_THREAD", googletest.NewAttempt(fmt.Sprintf(`{"thread_id":%q}`, mail.ThreadID)), &got))
	require.Len(t, got.Emails, 2)
	require.Equal(t, "the conversation has 4 mails, of which the newest 2 are here", got.Cut)

	e := googletest.Failure(t, a.Call("GMAIL_GET_THREAD", googletest.NewAttempt(`{"thread_id":"nope"}`), &got))
	require.True(t, e.Answered)
	require.Equal(t, "there is no conversation with that id", e.Reason)
}

func TestAttachment(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	part := func(kind, name, encoded string) string {
		return fmt.Sprintf("--b1\nContent-Type: %s; name=%s\nContent-Disposition: attachment; filename=%s\nContent-Transfer-Encoding: base64\n\n%s\n", kind, name, name, encoded)
	}
	id := a.DeliverRaw(t, google.Alice, strings.ReplaceAll("From: bob@example.com\nSubject: Files\nContent-Type: multipart/mixed; boundary=b1\n\n"+
		"--b1\nContent-Type: text/plain\n\nSee the files.\n"+part("application/pdf", "a.pdf", "JVBERi0xLjQ=")+part("text/csv", "b.csv", "YSxiCjEsMg==")+
		part("application/zip", "c.zip", base64.StdEncoding.EncodeToString(make([]byte, 600_000)))+"--b1--\n", "\n", "\r\n"))
	type attachment struct {
		Name, Type, Text, Base64 string
		Size                     int64
	}
	read := func(number int) (got attachment, err error) {
		return got, a.Call("GMAIL_GET_ATTACHMENT", googletest.NewAttempt(fmt.Sprintf(`{"message_id":%q,"number":%d}`, id, number)), &got)
	}
	for number, want := range map[int]attachment{
		1: {Name: "a.pdf", Type: "application/pdf", Base64: "JVBERi0xLjQ=", Size: 8},
		2: {Name: "b.csv", Type: "text/csv", Text: "a,b\n1,2", Size: 7},
	} {
		var got attachment
		require.NoError(t, a.Call("GMAIL_GET_ATTACHMENT", googletest.NewAttempt(fmt.Sprintf(`{"message_id":%q,"number":%d}`, id, number)), &got))
		require.Equal(t, want, got)
	}
	for number, reason := range map[int]string{
		0: "number: the mail has 3 attachments",
		4: "number: the mail has 3 attachments",
		3: "the file has 600000 bytes or more: files up to 524288 bytes can be read, and the beginning of texts up to 10485760",
	} {
		_, err := read(number)
		e := googletest.Failure(t, err)
		require.True(t, e.Answered)
		require.Equal(t, reason, e.Reason)
	}
}
