package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/config"
)

func TestWhoMaySignInMustBeSaidBeyondLoopback(t *testing.T) {
	t.Parallel()
	with := func(name, value string) map[string]string {
		vars := map[string]string{
			"GOOGLE_CLIENT_ID": "steward.test", "GOOGLE_CLIENT_SECRET": "s", "STEWARD_PUBLIC_URL": "https://steward.example",
			"STEWARD_LOGIN_ALLOW": "alice@example.com,@example.org",
		}
		vars[name] = value
		return vars
	}
	for name, c := range map[string]struct {
		vars  map[string]string
		wrong string
	}{
		"list":                  {with("", ""), ""},
		"everybody, said so":    {with("STEWARD_LOGIN_ALLOW", "*"), ""},
		"nobody said":           {with("STEWARD_LOGIN_ALLOW", ""), "STEWARD_LOGIN_ALLOW"},
		"loopback":              {map[string]string{"GOOGLE_CLIENT_ID": "x", "GOOGLE_CLIENT_SECRET": "s", "STEWARD_PUBLIC_URL": "http://localhost:8000"}, ""},
		"no Google":             {map[string]string{"STEWARD_PUBLIC_URL": "https://steward.example"}, ""},
		"no secret":             {with("GOOGLE_CLIENT_SECRET", ""), "GOOGLE_CLIENT_SECRET"},
		"issuer in clear":       {with("STEWARD_GOOGLE_ISSUER", "http://accounts.example"), "STEWARD_GOOGLE_ISSUER"},
		"emulator":              {with("STEWARD_GOOGLE_ISSUER", "http://localhost:4000"), ""},
		"API in clear":          {with("STEWARD_GOOGLE_API_URL", "http://10.0.0.1"), "STEWARD_GOOGLE_API_URL"},
		"origin":                {with("STEWARD_REDIRECT_ORIGINS", "https://app.example,http://localhost:3000"), ""},
		"origin with a path":    {with("STEWARD_REDIRECT_ORIGINS", "https://app.example/back"), "STEWARD_REDIRECT_ORIGINS"},
		"origin that is a host": {with("STEWARD_REDIRECT_ORIGINS", "app.example"), "STEWARD_REDIRECT_ORIGINS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(lookup(t, c.vars))
			if c.wrong == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, []string{c.wrong}, locations(t, err))
		})
	}
}

func TestGoogleClientFromItsFile(t *testing.T) {
	t.Parallel()
	const file = `{"web":{"client_id":"web.test","client_secret":"canary-4711","redirect_uris":["http://localhost:8000/auth/google/callback"]}}`
	for name, c := range map[string]struct {
		vars       map[string]string
		id, secret string
		wrong      string
	}{
		"file":          {map[string]string{"GOOGLE_OAUTH_CREDENTIALS": file}, "web.test", "canary-4711", ""},
		"settings win":  {map[string]string{"GOOGLE_OAUTH_CREDENTIALS": file, "GOOGLE_CLIENT_ID": "own", "GOOGLE_CLIENT_SECRET": "s"}, "own", "s", ""},
		"secret of own": {map[string]string{"GOOGLE_OAUTH_CREDENTIALS": file, "GOOGLE_CLIENT_ID": "own"}, "", "", "GOOGLE_CLIENT_SECRET"},
		"not JSON":      {map[string]string{"GOOGLE_OAUTH_CREDENTIALS": "canary-4711"}, "", "", "GOOGLE_OAUTH_CREDENTIALS"},
		"desktop":       {map[string]string{"GOOGLE_OAUTH_CREDENTIALS": `{"installed":{"client_id":"d","client_secret":"canary-4711"}}`}, "", "", "GOOGLE_OAUTH_CREDENTIALS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.vars["STEWARD_LOGIN_ALLOW"] = "*"
			cfg, err := config.Load(lookup(t, c.vars))
			if c.wrong != "" {
				require.Equal(t, []string{c.wrong}, locations(t, err))
				require.NotContains(t, err.Error(), "canary")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.id, cfg.Google.ClientID)
			require.Equal(t, c.secret, cfg.Google.ClientSecret.Reveal())
		})
	}
}
