package api_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/auth/authtest"
	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/formtest"
	"steward/internal/egress"
	"steward/internal/oauth"
	"steward/internal/store"
)

// consent makes the service of consents, two connectors that live on it, and one with a form.
func (r *rig) consent(o oauth.Options) (*oauth.Service, *connector.Connections) {
	r.t.Helper()
	o.LinkKey, o.Origins = authtest.Key(r.t), append(o.Origins, "https://app.example.com")
	consent, err := oauth.New(r.db, r.ring, r.log, o)
	require.NoError(r.t, err)
	anything := json.RawMessage(`{"type":"object"}`)
	r.paper = &formtest.Paper{}
	connections, err := connector.NewConnections(connector.Options{Credentials: consent, DB: r.db, Ring: r.ring, Log: r.log, Dial: nowhere},
		&connector.Connector{Name: "mail", Title: "Mail", Description: "Read and send mail.", Provider: "google", Tools: []connector.Tool{
			{Name: "MAIL_READ", Title: "Read mail", Class: automation.Read, InputSchema: anything, Scopes: []string{"mail.readonly", "mail.all"}},
			{Name: "MAIL_SEND", Title: "Send mail", Class: automation.Effect, InputSchema: anything, Scopes: []string{"mail.send", "mail.all"}},
		}},
		&connector.Connector{Name: "gmail", Title: "Gmail", Description: "Read mail at Google.", Provider: "google", Tools: []connector.Tool{
			{Name: "GMAIL_READ", Title: "Read mail", Class: automation.Read, InputSchema: anything, Scopes: []string{"gmail.readonly"}},
		}},
		r.paper.Connector(),
	)
	require.NoError(r.t, err)
	r.t.Cleanup(connections.Close)
	return consent, connections
}

// nowhere dials nothing.
func nowhere(string) connector.Dial {
	return func(context.Context, string, string) (net.Conn, error) { return nil, egress.ErrDenied }
}

// accounts is a provider of which discovery knows what it says of itself, and no more.
const accounts = "https://accounts.test"

type discovery struct{}

func (discovery) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if req.URL.String() != accounts+"/.well-known/openid-configuration" {
		return nil, errAway
	}
	w.Header().Set("Content-Type", "application/json")
	_, err := w.WriteString(strings.ReplaceAll(`{"issuer":"@","authorization_endpoint":"@/auth","token_endpoint":"@/token","jwks_uri":"@/keys",`+
		`"id_token_signing_alg_values_supported":["RS256"]}`, "@", accounts))
	return w.Result(), err
}

// connect gives owner a grant as consent at the provider would.
func (r *rig) connect(owner string, scopes ...string) {
	r.t.Helper()
	_, err := r.db.PutCredential(r.t.Context(), store.PutCredentialParams{
		Owner: owner, Provider: "google", Subject: "1", Account: owner + "@example.com", Scopes: scopes,
		AccessSealed: []byte("x"), ExpiresAt: time.Now().Add(time.Hour),
	})
	require.NoError(r.t, err)
}

// park lets a run wait as its workflow would.
func (r *rig) park(id int64, state automation.State, waiting string) {
	r.t.Helper()
	_, err := r.db.Pool.Exec(r.t.Context(), "UPDATE automation_runs SET state = $2, waiting = $3 WHERE id = $1", id, string(state), waiting)
	require.NoError(r.t, err)
}
