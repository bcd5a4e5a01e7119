package oauth

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSlackRefusals(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]struct {
		stale, missing bool
		scopes         []string
	}{
		`{"ok":true}`:                                                    {},
		`{"ok":true,"error":"token_revoked"}`:                            {},
		`{"ok":false,"error":"token_revoked"}`:                           {stale: true},
		`{"ok":false,"error":"invalid_auth"}`:                            {stale: true},
		`{"ok":false,"error":"channel_not_found"}`:                       {},
		`{"ok":false,"error":"missing_scope","needed":"groups:history"}`: {missing: true, scopes: []string{"groups:history"}},
		`{"ok":false,"error":"missing_scope","needed":"a:read,b:read"}`:  {missing: true, scopes: []string{"a:read", "b:read"}},
		`{"ok":false,"error":"missing_scope"}`:                           {missing: true, scopes: []string{}},
		`<html>`:                                                         {},
		`{"ok":false,"error":"token_revoked","x":"` + strings.Repeat("x", maxRefusal) + `"}`: {},
	} {
		a := &slack{}
		res := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(doc))}
		require.Equal(t, want.stale, a.stale(res), "%.80s", doc)
		scopes, missing := a.lacks(res)
		require.Equal(t, want.missing, missing, "%.80s", doc)
		require.Equal(t, want.scopes, scopes, "%.80s", doc)
		left, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, doc, string(left), "who looks leaves it whole")
	}
}

func FuzzSlackAnswer(f *testing.F) {
	f.Add([]byte(`{"ok":true,"authed_user":{"access_token":"x","token_type":"user","expires_in":-1},"team":{"id":"T1"}}`))
	f.Add([]byte(`{"ok":true,"team":"Acme","user":"alice"}`))
	f.Add([]byte(`{"team":null,"ok":false,"error":"missing_scope"}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var answer slackAnswer
		if json.Unmarshal(doc, &answer) != nil {
			return
		}
		if token, err := answer.User.token(); err == nil {
			require.NotEmpty(t, token.AccessToken)
			require.False(t, token.Expiry.IsZero())
		}
		res := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(doc))}
		a := &slack{}
		require.False(t, a.stale(res) && answer.OK)
	})
}
