package auth_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/auth/authtest"
	"steward/internal/fault"
	"steward/internal/secret"
)

func tokens(t testing.TB, o auth.TokenOptions) *auth.Tokens {
	t.Helper()
	made, err := auth.NewTokens(o)
	require.NoError(t, err)
	return made
}

func TestIssueAndVerify(t *testing.T) {
	t.Parallel()
	o := authtest.Options(t)
	made := tokens(t, o)
	token, err := made.Issue(auth.Grant{Subject: "alice", Role: auth.User, Scopes: []auth.Scope{auth.RunsRead, auth.KeysAdmin}})
	require.NoError(t, err)
	p, err := made.Verify(token.Reveal())
	require.NoError(t, err)
	require.Equal(t, "alice", p.Owner)
	require.Equal(t, "alice", p.Actor)
	require.Equal(t, auth.JWT, p.Kind)
	require.Equal(t, []auth.Scope{auth.RunsRead}, p.Scopes, "a scope that the role has not is not given")
	require.NotEmpty(t, p.TokenID)
	require.WithinDuration(t, time.Now().Add(auth.DefaultTTL), p.Expires, 2*time.Second)

	other, err := made.Verify(authtest.Token(t, o, "bob", auth.Admin))
	require.NoError(t, err)
	require.Equal(t, auth.Admin.Scopes(), other.Scopes, "no scope asked for means all of the role")
	require.NotEqual(t, p.TokenID, other.TokenID)
}

// T-20.
func TestForgedTokensAreRefused(t *testing.T) {
	t.Parallel()
	o := authtest.Options(t)
	made := tokens(t, o)
	_, err := made.Verify(authtest.Unspoiled(t, o))
	require.NoError(t, err, "the token from which forgeries are made must be good")

	forged := authtest.Forged(t, o)
	require.Greater(t, len(forged), 24)
	for _, f := range forged {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			_, err := made.Verify(f.Token)
			require.True(t, fault.Is(err, fault.Unauthorized), "accepted: %s", f.Token)
			require.Equal(t, auth.CodeInvalidToken, fault.CodeOf(err))
			shown, _ := err.(*fault.Error) //nolint:errorlint // Verify returns the fault itself
			require.Equal(t, "the credential is not valid", shown.Msg, "every refusal reads the same")
		})
	}
}

func TestTokenTimes(t *testing.T) {
	t.Parallel()
	o := authtest.Options(t)
	issued := time.Now().Truncate(time.Second)
	o.Now = func() time.Time { return issued }
	token, err := tokens(t, o).Issue(auth.Grant{Subject: "alice", Role: auth.User, TTL: time.Minute})
	require.NoError(t, err)
	for offset, good := range map[time.Duration]bool{
		-11 * time.Second: false, -9 * time.Second: true, 0: true, 69 * time.Second: true, 71 * time.Second: false,
	} {
		o.Now = func() time.Time { return issued.Add(offset) }
		_, err := tokens(t, o).Verify(token.Reveal())
		require.Equal(t, good, err == nil, "%s", offset)
	}
}

func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	made := tokens(t, authtest.Options(t))
	for name, g := range map[string]auth.Grant{
		"nobody": {Role: auth.User}, "everybody": {Subject: "*", Role: auth.User}, "no role": {Subject: "a"},
		"role of keys": {Subject: "a", Role: auth.Service}, "too long": {Subject: "a", Role: auth.User, TTL: auth.MaxTTL + 1},
		"negative": {Subject: "a", Role: auth.User, TTL: -1}, "control": {Subject: "a\x00", Role: auth.User},
	} {
		_, err := made.Issue(g)
		require.True(t, fault.Is(err, fault.Invalid), name)
	}
}

func TestSigningKeyRotation(t *testing.T) {
	t.Parallel()
	before, after := authtest.Options(t), authtest.Options(t)
	token := authtest.Token(t, before, "alice", auth.User)
	_, err := tokens(t, after).Verify(token)
	require.Error(t, err)

	var old struct{ Keys []struct{ X string } }
	raw, err := json.Marshal(tokens(t, before).JWKS())
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &old))
	public, err := base64.RawURLEncoding.DecodeString(old.Keys[0].X)
	require.NoError(t, err)
	after.VerifyKeys = []string{base64.StdEncoding.EncodeToString(public)}
	made := tokens(t, after)
	_, err = made.Verify(token)
	require.NoError(t, err)
	require.Len(t, made.JWKS().Keys, 2)
	require.NotEqual(t, old.Keys[0].X, made.JWKS().Keys[0].X, "the signing key comes first")
}

func TestJWKS(t *testing.T) {
	t.Parallel()
	set := tokens(t, authtest.Options(t)).JWKS()
	require.Len(t, set.Keys, 1)
	key := set.Keys[0]
	require.Equal(t, []string{"OKP", "Ed25519", "EdDSA", "sig"}, []string{key.Kty, key.Crv, key.Alg, key.Use})
	raw, err := json.Marshal(set)
	require.NoError(t, err)
	require.NotContains(t, string(raw), `"d"`, "no private part")
}

func TestHS256OnlyWhenChosen(t *testing.T) {
	t.Parallel()
	o := auth.TokenOptions{Issuer: "i", Audience: "a", SharedKey: authtest.Key(t)}
	made := tokens(t, o)
	_, err := made.Verify(authtest.Token(t, o, "alice", auth.User))
	require.NoError(t, err)
	require.Empty(t, made.JWKS().Keys, "a shared key is not published")

	eddsa := authtest.Options(t)
	eddsa.Issuer, eddsa.Audience = o.Issuer, o.Audience
	_, err = made.Verify(authtest.Token(t, eddsa, "alice", auth.User))
	require.Error(t, err, "one issuer has one algorithm")
	_, err = tokens(t, eddsa).Verify(authtest.Token(t, o, "alice", auth.User))
	require.Error(t, err)
}

func TestNewTokensRefusesBadKeys(t *testing.T) {
	t.Parallel()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	good := authtest.Options(t)
	for name, change := range map[string]func(o *auth.TokenOptions){
		"no issuer": func(o *auth.TokenOptions) { o.Issuer = "" }, "no audience": func(o *auth.TokenOptions) { o.Audience = "" },
		"no key":     func(o *auth.TokenOptions) { o.SigningKey = secret.String{} },
		"both keys":  func(o *auth.TokenOptions) { o.SharedKey = o.SigningKey },
		"short seed": func(o *auth.TokenOptions) { o.SigningKey = secret.New("c2hvcnQ=") },
		"zero seed": func(o *auth.TokenOptions) {
			o.SigningKey = secret.New(base64.StdEncoding.EncodeToString(make([]byte, 32)))
		},
		"short HS256": func(o *auth.TokenOptions) { o.SigningKey, o.SharedKey = secret.String{}, secret.New("password") },
		"verify key": func(o *auth.TokenOptions) {
			o.VerifyKeys = []string{base64.StdEncoding.EncodeToString(append(public, 1))}
		},
	} {
		o := good
		change(&o)
		_, err := auth.NewTokens(o)
		require.True(t, fault.Is(err, fault.Invalid), name)
	}
}
