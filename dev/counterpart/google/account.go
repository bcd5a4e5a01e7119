package google

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// issued is a token that the stand-in has issued.
type issued struct {
	token   string
	refresh bool
}

// remember notes the tokens of an answer. With the lock held.
func (p *proxy) remember(form url.Values, answer map[string]any) {
	address := p.addressOf(form.Get("refresh_token"))
	if id, ok := answer["id_token"].(string); ok {
		address = emailOf(id)
	}
	if token, ok := answer["refresh_token"].(string); ok {
		p.issued[address] = append(p.issued[address], issued{token, true})
	}
	if token, ok := answer["access_token"].(string); ok {
		p.issued[address] = append(p.issued[address], issued{token, false})
	}
}

func (p *proxy) addressOf(token string) string {
	for address, list := range p.issued {
		for _, one := range list {
			if one.token == token {
				return address
			}
		}
	}
	return ""
}

// emailOf reads an ID token that was issued a moment ago.
func emailOf(idToken string) string {
	var claims struct{ Email string }
	parts := strings.Split(idToken, ".")
	if len(parts) != 3 {
		return ""
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(body, &claims) != nil {
		return ""
	}
	return claims.Email
}

// Revoke ends all that an account has granted, as a user does in the settings of the account: access tokens
// get 401, a refresh invalid_grant.
func (s *Server) Revoke(t testing.TB, address string) { s.revoke(t, address, true) }

// Expire ends the access tokens of an account: they get 401, a refresh gives a new one.
func (s *Server) Expire(t testing.TB, address string) { s.revoke(t, address, false) }

func (s *Server) revoke(t testing.TB, address string, refresh bool) {
	t.Helper()
	s.proxy.mu.Lock()
	list := s.proxy.issued[address]
	s.proxy.mu.Unlock()
	for _, one := range list {
		if one.refresh && !refresh {
			continue
		}
		revoke(t, s.upstream.String()+"/oauth2/revoke", one.token)
	}
}

func revoke(t testing.TB, endpoint, token string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(url.Values{"token": {token}}.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// Token is an access token of an account, for tests that are not about consent. Neither Revoke nor Expire
// ends it.
func (s *Server) Token(address string) string { return s.own[address] }

// formOf reads the form of a request to the token endpoint and leaves the body as it was.
func formOf(r *http.Request) (*http.Request, url.Values, error) {
	if r.URL.Path != "/oauth2/token" {
		return r, nil, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return r, nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return r, nil, err
	}
	r = r.WithContext(context.WithValue(r.Context(), formKey{}, form))
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	return r, form, nil
}
