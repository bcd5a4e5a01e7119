package e2e_test

import (
	"encoding/json"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/google"
)

// mailMe is the main job against a Google account.
const mailMe = "Find all emails from last week about invoices, total them and mail me the sum"

// withGoogle is a stack whose Google is the emulator; two invoices of EUR 120.50 and EUR 79.50 lie in Alice's inbox.
func withGoogle(t *testing.T) (*stack, *google.Server) {
	t.Helper()
	address, err := freePort()
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	public := "http://localhost:" + port // as the README has it: Google takes no address of numbers for a redirect
	account := google.Start(t, google.Options{Redirects: []string{public + "/auth/google/callback"}})
	for _, amount := range []string{"120.50", "79.50"} {
		account.Deliver(t, google.Alice, google.Mail{
			From: "Billing <billing@vendor.example>", To: google.Alice, Subject: "Invoice " + amount,
			Body: "Dear customer,\r\n\r\nAmount due: EUR " + amount + "\r\n", Date: time.Now().AddDate(0, 0, -2),
		})
	}
	s := own(t, "STEWARD_LISTEN="+address, "STEWARD_PUBLIC_URL="+public, "GOOGLE_CLIENT_ID="+google.ClientID, "GOOGLE_CLIENT_SECRET="+google.ClientSecret,
		"STEWARD_GOOGLE_ISSUER="+account.URL, "STEWARD_GOOGLE_API_URL="+account.URL)
	s.url = public
	return s, account
}

// signIn is a person with a browser.
func (s *stack) signIn(t *testing.T, b *google.Browser) *user {
	t.Helper()
	page := b.SignIn(t, s.url+"/auth/google/login", google.Alice)
	require.Equal(t, 200, page.Status, page.Body)
	var signed struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
	}
	require.NoError(t, json.Unmarshal([]byte(page.Body), &signed), page.Body)
	require.Equal(t, "bearer", signed.TokenType)
	return &user{stack: s, t: t, name: "alice", token: signed.AccessToken}
}

func TestMainJobOnAGoogleAccount(t *testing.T) {
	t.Parallel()
	s, account := withGoogle(t)
	u := s.signIn(t, google.NewBrowser())
	id := u.accept(map[string]any{"connections": []string{"gmail"}, "instructions": mailMe})
	u.until(id, time.Minute, inState("waiting_for_approval"))
	require.Empty(t, account.Sent(t, google.Alice))
	u.decide(id, "approve")
	v := u.until(id, time.Minute, ended)
	require.Equal(t, "success", v.State, "%+v", v)
	sent := account.Sent(t, google.Alice)
	require.Len(t, sent, 1)
	require.Contains(t, sent[0].Header.Get("To"), google.Alice)
	require.Contains(t, sent[0].Subject+sent[0].Body, "200.00")
	require.Empty(t, account.Drafts(t, google.Alice))

	// Thirty calls side by side with a token that has ended: one refresh.
	account.Expire(t, google.Alice)
	before := account.Count(google.Refresh)
	id = u.accept(map[string]any{"connections": []string{"gmail"}, "instructions": `#sim: parallel 30 tool GMAIL_SEARCH_EMAILS args {"query":"invoice {{step}}"}`})
	require.Equal(t, "success", u.until(id, time.Minute, ended).State)
	require.Equal(t, 1, account.Count(google.Refresh)-before)
}

// What a person has withdrawn, a person has to give again; the run goes on at the step where it stood.
func TestRevokedConsentParksTheRun(t *testing.T) {
	t.Parallel()
	s, account := withGoogle(t)
	browser := google.NewBrowser()
	u := s.signIn(t, browser)
	id := u.accept(map[string]any{"connections": []string{"gmail"}, "instructions": mailMe})
	u.until(id, time.Minute, inState("waiting_for_approval"))
	account.Revoke(t, google.Alice)
	u.decide(id, "approve")
	v := u.until(id, time.Minute, inState("waiting_for_auth"))
	require.Equal(t, "pending", v.Status)
	require.NotNil(t, v.Waiting)
	require.NotEmpty(t, v.Waiting.URL, "a link to consent again")
	calls := len(v.ToolCalls)
	require.Empty(t, account.Sent(t, google.Alice))
	s.kill(t, "worker") // the wait holds no process

	page := browser.SignIn(t, v.Waiting.URL, google.Alice)
	require.Less(t, page.Status, 400, page.Body)
	v = u.until(id, time.Minute, ended)
	require.Equal(t, "success", v.State, "%+v", v)
	require.Len(t, v.ToolCalls, calls, "the same call went on, without a new question")
	require.Len(t, account.Sent(t, google.Alice), 1)

	a := u.do("POST", "/api/integrations/disconnect", map[string]any{"provider": "gmail"})
	require.Equal(t, 200, a.status, "%s", a.body)
	require.NotZero(t, account.Count(google.Revocation))
}

// sendPoints are the moments of a send at which a process can die.
var sendPoints = []struct {
	name  string
	kind  google.Kind
	fault func(arrived chan<- struct{}, hold <-chan struct{}) google.Fault
}{
	{"before the draft", google.DraftCreate, func(a chan<- struct{}, h <-chan struct{}) google.Fault { return google.Fault{Arrived: a, Before: h} }},
	{"draft made, answer unread", google.DraftCreate, func(a chan<- struct{}, h <-chan struct{}) google.Fault { return google.Fault{Arrived: a, After: h} }},
	{"before the send", google.DraftSend, func(a chan<- struct{}, h <-chan struct{}) google.Fault { return google.Fault{Arrived: a, Before: h} }},
	{"sent, answer unread", google.DraftSend, func(a chan<- struct{}, h <-chan struct{}) google.Fault { return google.Fault{Arrived: a, After: h} }},
}

// The worker is killed at every point of a send; the mail stands exactly once.
func TestKilledInTheMiddleOfASend(t *testing.T) {
	t.Parallel()
	s, account := withGoogle(t)
	u := s.signIn(t, google.NewBrowser())
	for i, point := range sendPoints {
		arrived, hold := make(chan struct{}, 1), make(chan struct{})
		account.Inject(point.kind, 1, point.fault(arrived, hold))
		id := u.accept(map[string]any{"connections": []string{"gmail"}, "instructions": fmt.Sprintf("%s. Point %d.", mailMe, i)})
		u.until(id, time.Minute, inState("waiting_for_approval"))
		u.decide(id, "approve")
		select {
		case <-arrived:
		case <-time.After(time.Minute):
			require.FailNow(t, "nothing was sent", point.name)
		}
		s.kill(t, "worker")
		close(hold)
		v := u.until(id, 3*time.Minute, func(v view) bool { return ended(v) || v.State == "waiting_for_decision" })
		require.Equal(t, "success", v.State, "%s: %+v", point.name, v)
		require.Len(t, account.Sent(t, google.Alice), i+1, point.name)
	}
	require.Contains(t, s.steward(t, "audit", "verify", "--temporal"), "valid")
}
