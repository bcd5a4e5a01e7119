package secret_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"steward/internal/secret"
)

const awkward = `p@ss/"wörd"<&> \ 1`

func TestRedactorFindsEveryForm(t *testing.T) {
	t.Parallel()
	quoted, err := json.Marshal(awkward)
	require.NoError(t, err)
	twice, err := json.Marshal(string(quoted))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"plain": awkward, "json": string(quoted), "json in json": string(twice),
		"query": url.QueryEscape(awkward), "path": url.PathEscape(awkward), "hex": hex.EncodeToString([]byte(awkward)),
		"base64": base64.StdEncoding.EncodeToString([]byte(awkward)), "base64url": base64.RawURLEncoding.EncodeToString([]byte(awkward)),
		"basic auth":  base64.StdEncoding.EncodeToString([]byte("bob:" + awkward)),
		"basic auth2": base64.StdEncoding.EncodeToString([]byte("user:" + awkward + ":more")),
		"basic auth3": base64.StdEncoding.EncodeToString([]byte("eve:" + awkward + "!!")),
	} {
		for _, r := range []*secret.Redactor{secret.NewRedactor(secret.New(awkward)), secret.NewRedactor(secret.New(awkward)).Exact()} {
			got := r.Text("before " + text + " after")
			require.Contains(t, got, secret.Redacted, name)
			require.True(t, strings.HasPrefix(got, "before ") && strings.HasSuffix(got, " after"), name)
			require.Less(t, len(got), len("before  after")+len(secret.Redacted)+20, "%s leaves %s", name, got)
		}
	}
}

func TestRedactorPrefersTheLongest(t *testing.T) {
	t.Parallel()
	r := secret.NewRedactor(secret.New("hunter"), secret.New("hunter22"), secret.New("abc"), secret.String{})
	require.Equal(t, "[redacted] [redacted] hunt abc", r.Text("hunter22 hunter hunt abc"))
}

func TestRedactorFindsLinesOfAKey(t *testing.T) {
	t.Parallel()
	line := "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj"
	r := secret.NewRedactor(secret.New("-----BEGIN X-----\n" + line + "\nshort\n-----END X-----\n")).Exact()
	require.Equal(t, "key [redacted] read", r.Text("key "+line+" read"))
}

func TestRedactorKnowsCredentials(t *testing.T) {
	t.Parallel()
	jwt := "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
	for in, want := range map[string]string{
		"Authorization: Bearer abc123def456":    "Authorization: Bearer [redacted]",
		"bearer abcdefghijklmnopqrstuvwx":       "bearer [redacted]",
		"authorization: Basic dXNlcjpodW50ZXIy": "authorization: Basic [redacted]",
		"key sk-proj-abcdefghijklmnop1234 end":  "key [redacted] end",
		"xoxb-1234567890-abcdef":                "[redacted]",
		"xoxp-1234567890-abcdef,":               "[redacted],",
		"id AKIAIOSFODNN7EXAMPLE":               "id [redacted]",
		"t=" + jwt + ";":                        "t=[redacted];",
		"postgres://app:pw@db/x":                "postgres://[redacted]@db/x",
		"https://token@host/":                   "https://[redacted]@host/",
		"password=hunter2&x=1":                  "password=[redacted]&x=1",
		"the password is hunter2. Bye":          "the password is [redacted]. Bye",
		"its api_key is 'a b' now":              "its api_key is '[redacted]' now",
		"DB_PASSWORD = 'hunter2 three'":         "DB_PASSWORD = '[redacted]'",
		`{"api_key":"k-1","n":2}`:               `{"api_key":"[redacted]","n":2}`,
		`"{\"apiKey\": \"k-1\"}"`:               `"{\"apiKey\": \"[redacted]\"}"`,
		"X-Auth-Token: zzz\nHost: a":            "X-Auth-Token: [redacted]\nHost: a",
		"?access_token=abc&page=2":              "?access_token=[redacted]&page=2",
		"-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nx": "[redacted]\nx",
		"-----BEGIN PRIVATE KEY-----\nMII cut off":                               "[redacted]",
		"-----BEGIN EC PRIVATE KEY-----\nMII\n-----END EC":                       "[redacted]",
	} {
		var patterns secret.Redactor
		require.Equal(t, want, patterns.Text(in))
		require.Equal(t, want, patterns.Text(want), "redacting twice changes nothing")
		require.Equal(t, in, patterns.Exact().Text(in), "exact redactors do not guess")
	}
}

func TestRedactorLeavesProseAlone(t *testing.T) {
	t.Parallel()
	var r secret.Redactor
	for _, text := range []string{
		"", "basic authentication and bearer tokens", "the task-list was risk-free", "see https://example.org/a?b=c#d",
		"nextPageToken: abc123", `{"page_token":"CAEQAA","max_tokens":200,"token_count":7}`, "primary key: id", "keyboard=qwerty",
		"mail to a@b.example", "secret_ref:gmail:token", "password_hint=pet", "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
		"the password is wrong", "password is", "this is a1b2", "it is x1",
		"password:", "password=", `"password":""`, `"password":null`, `"credentials":{"user":"x"}`, "sk-short", "12:30:45", "a := b",
		"eyJhbGciOiJFZERTQSJ9", "time 10:00 key=value",
	} {
		require.Equal(t, text, r.Text(text))
	}
}

func TestRedactorJSON(t *testing.T) {
	t.Parallel()
	r := secret.NewRedactor(secret.New(awkward), secret.New("987654"))
	quoted, err := json.Marshal(awkward)
	require.NoError(t, err)
	for in, want := range map[string]string{
		`{"a":` + string(quoted) + `, "b" : [1, 2.50] }`:   `{"a":"[redacted]", "b" : [1, 2.50] }`,
		`{"a":987654,"b":-1987654}`:                        `{"a":"[redacted]","b":"-1[redacted]"}`,
		`{"password" : "x","token":12345,"n":"x"}`:         `{"password" : "[redacted]","token":"[redacted]","n":"x"}`,
		`{"password":null,"secret":true,"auth":{"k":"v"}}`: `{"password":null,"secret":true,"auth":{"k":"v"}}`,
		`{"secret":["x"],"note":"x"}`:                      `{"secret":["x"],"note":"x"}`,
		`{"987654":1}`:                                     `{"[redacted]":1}`,
		`"say \"987654\"\n"`:                               `"say \"[redacted]\"\n"`,
		`"\u0039\u003876\u00354"`:                          `"[redacted]"`,
		`not json 987654`:                                  `"not json [redacted]"`,
		"":                                                 `""`,
	} {
		got := r.JSON([]byte(in))
		require.Equal(t, want, string(got))
		require.True(t, json.Valid(got))
	}
	require.JSONEq(t, `{"password":"x"}`, string(r.Exact().JSON([]byte(`{"password":"x"}`))))
}

// Wherever a value is put, and whatever stands around it, it does not come out.
func TestRedactorLosesNoValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[A-Z0-9"\\/<ü]{6,20}`)
		values := rapid.SliceOfN(word, 1, 4).Draw(t, "values")
		var secrets []secret.String
		object := map[string]any{}
		around := rapid.StringMatching(`[a-z :="]{0,8}`)
		for _, v := range values {
			secrets = append(secrets, secret.New(v))
			object[around.Draw(t, "name")] = around.Draw(t, "before") + v + around.Draw(t, "after")
		}
		raw, err := json.Marshal(object)
		require.NoError(t, err)
		r := secret.NewRedactor(secrets...)
		for _, out := range [][]byte{r.JSON(raw), r.Exact().JSON(raw), r.Preview(raw, 1<<16)} {
			var got any
			require.NoError(t, json.Unmarshal(out, &got), "%s", out)
			plain, err := json.Marshal(got)
			require.NoError(t, err)
			for _, v := range values {
				require.NotContains(t, string(plain), v)
			}
		}
	})
}

func TestNamed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"password", "DB_PASSWORD", "dbPassword", "apiKey", "APIKey", "api-key", "X-API-Key", "client_secret", "access_token",
		"accessToken", "Authorization", "Set-Cookie", "token", "private_key", "OPENAI_API_KEY", "pwd", "credentials", "secret",
	} {
		require.True(t, secret.Named(name), name)
	}
	for _, name := range []string{
		"", "id", "name", "tokens", "max_tokens", "token_count", "nextPageToken", "page_token", "syncToken", "key", "primary_key",
		"keyboard", "monkey", "secret_ref", "secretName", "password_hint", "author", "compass", "token_type", "passenger",
	} {
		require.False(t, secret.Named(name), name)
	}
}
