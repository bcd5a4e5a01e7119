package oauthtest

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func (s *Server) metadata(w http.ResponseWriter, _ *http.Request) {
	document := map[string]any{
		"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token",
		"revocation_endpoint": s.URL + "/revoke", "jwks_uri": s.URL + "/keys", "id_token_signing_alg_values_supported": []string{"EdDSA"},
	}
	if change := locked(s, func() func(map[string]any) { return s.rules.Metadata }); change != nil {
		change(document)
	}
	answer(w, http.StatusOK, document)
}

func (s *Server) keys(w http.ResponseWriter, _ *http.Request) {
	public, _ := s.key.Public().(ed25519.PublicKey)
	answer(w, http.StatusOK, map[string]any{"keys": []map[string]string{{
		"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "one", "x": base64.RawURLEncoding.EncodeToString(public),
	}}})
}

// authorize consents at once.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := r.URL.Query()
	back, err := url.Parse(in.Get("redirect_uri"))
	if err != nil || in.Get("client_id") != ClientID || in.Get("response_type") != "code" || in.Get("code_challenge_method") != "S256" {
		Refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	out := url.Values{"state": {in.Get("state")}}
	if s.rules.Issuer != "" {
		out.Set("iss", s.rules.Issuer)
	}
	if s.rules.Deny != "" {
		out.Set("error", s.rules.Deny)
	} else {
		code := rand.Text()
		s.codes[code] = asked{in.Get("code_challenge"), in.Get("nonce"), in.Get("scope"), in.Get("redirect_uri")}
		out.Set("code", code)
	}
	back.RawQuery = out.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		Refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	s.mu.Lock()
	instead := s.rules.Token
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		s.exchanges++
	case "refresh_token":
		s.refreshes++
	}
	s.mu.Unlock()
	if instead != nil && instead(w, r.PostForm) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.PostForm.Get("client_id") != ClientID || r.PostForm.Get("client_secret") != ClientSecret {
		Refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if r.PostForm.Get("grant_type") == "refresh_token" {
		s.renew(w, r.PostForm)
		return
	}
	s.exchange(w, r.PostForm)
}

func (s *Server) exchange(w http.ResponseWriter, form url.Values) {
	a, ok := s.codes[form.Get("code")]
	delete(s.codes, form.Get("code"))
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	if !ok || base64.RawURLEncoding.EncodeToString(sum[:]) != a.challenge || form.Get("redirect_uri") != a.redirect {
		Refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	body := s.tokens(a.scope)
	if !s.rules.NoRefresh {
		refresh := "refresh-" + rand.Text()
		s.refresh[refresh], body["refresh_token"] = a.scope, refresh
	}
	body["id_token"] = s.identity(a.nonce)
	answer(w, http.StatusOK, body)
}

func (s *Server) renew(w http.ResponseWriter, form url.Values) {
	old := form.Get("refresh_token")
	scope, ok := s.refresh[old]
	if !ok {
		Refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	body := s.tokens(scope)
	if s.rules.Rotate {
		next := "refresh-" + rand.Text()
		delete(s.refresh, old)
		s.refresh[next], body["refresh_token"] = scope, next
	}
	answer(w, http.StatusOK, body)
}

func (s *Server) tokens(scope string) map[string]any {
	access := "access-" + rand.Text()
	s.access[access] = true
	lifetime := s.rules.Lifetime
	if lifetime == 0 {
		lifetime = time.Hour
	}
	body := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(lifetime / time.Second), "scope": scope}
	if s.rules.Granted != nil {
		if body["scope"] = s.rules.Granted(scope); body["scope"] == "" {
			delete(body, "scope")
		}
	}
	return body
}

func (s *Server) identity(nonce string) string {
	now := time.Now()
	claims := map[string]any{
		"iss": s.URL, "aud": ClientID, "sub": s.rules.Account.Subject, "email": s.rules.Account.Email, "email_verified": true,
		"nonce": nonce, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	if s.rules.Account.Domain != "" {
		claims["hd"] = s.rules.Account.Domain
	}
	if s.rules.Claims != nil {
		s.rules.Claims(claims)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims(claims))
	token.Header["kid"] = "one"
	signed, err := token.SignedString(s.key)
	if err != nil {
		return err.Error() // no ID token: the test fails
	}
	if s.rules.Signed != nil {
		signed = s.rules.Signed(signed)
	}
	return signed
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		Refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token := r.PostForm.Get("token")
	s.revoked = append(s.revoked, token)
	if s.rules.Revoke != nil && s.rules.Revoke(w, r.PostForm) {
		return
	}
	if _, ok := s.refresh[token]; ok { // and everything that came of it
		clear(s.access)
	}
	delete(s.refresh, token)
	delete(s.access, token)
	w.WriteHeader(http.StatusOK)
}

// api echoes the body of whoever has a live token.
func (s *Server) api(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		Refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	s.mu.Lock()
	call := Call{Method: r.Method, Path: r.URL.Path, Authorization: r.Header.Get("Authorization"), Body: string(body), Status: http.StatusOK}
	token, _ := strings.CutPrefix(call.Authorization, "Bearer ")
	if !s.access[token] {
		call.Status = http.StatusUnauthorized
	}
	s.calls = append(s.calls, call)
	instead := s.rules.API
	s.mu.Unlock()
	switch {
	case call.Status != http.StatusOK:
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		Refuse(w, call.Status, "invalid_token")
	case instead != nil && instead(w, r):
	default:
		_, _ = w.Write(body) // the client has gone
	}
}
