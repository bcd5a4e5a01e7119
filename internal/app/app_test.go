package app

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/offline"
	"steward/internal/auth"
	"steward/internal/config"
	"steward/internal/fault"
	"steward/internal/launch/process"
	"steward/internal/llm/price"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
)

// No test here may meet a Temporal that happens to run on this machine.
func TestMain(m *testing.M) {
	process.Become()
	if err := os.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

var silent = slog.New(slog.DiscardHandler)

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a moment
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// settings are those of a deployment on a database of the test's own.
func settings(t *testing.T) *config.Config {
	t.Helper()
	application, _ := storetest.URLs(t)
	data, listen := t.TempDir(), freeAddress(t)
	require.NoError(t, config.GenerateKeys(filepath.Join(data, config.KeysFile)))
	values := map[string]string{
		"STEWARD_DATA": data, "STEWARD_LISTEN": listen, "STEWARD_PUBLIC_URL": "http://" + listen,
		"DATABASE_URL": application.Reveal(), "OPENAI_API_KEY": "sk-none",
	}
	cfg, err := config.Load(func(name string) (string, bool) { v, ok := values[name]; return v, ok }, config.Serving()...)
	require.NoError(t, err)
	return cfg
}

// start runs a process and returns a function that asks it to end and returns its error.
func start(t *testing.T, run func(context.Context) error) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(cancel)
	return func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(20 * time.Second):
			return context.DeadlineExceeded
		}
	}
}

func get(t *testing.T, url string, token secret.String) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if !token.IsZero() {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(raw)
}

func TestAPIServesWithoutTemporalAndDrains(t *testing.T) {
	t.Parallel()
	cfg := settings(t)
	cfg.HTTP.DebugListen = freeAddress(t)
	stop := start(t, func(ctx context.Context) error { return API(ctx, cfg, silent) })
	require.Eventually(t, func() bool { status, _ := get(t, cfg.HTTP.PublicURL+"/health", secret.String{}); return status == 200 },
		10*time.Second, 10*time.Millisecond)

	status, body := get(t, cfg.HTTP.PublicURL+"/ready", secret.String{})
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, `"location":"temporal"`)
	require.Contains(t, body, `"location":"worker"`)
	require.NotContains(t, body, `"location":"postgres"`)

	tokens, err := Tokens(cfg)
	require.NoError(t, err)
	token, err := tokens.Issue(auth.Grant{Subject: "alice", Role: auth.User})
	require.NoError(t, err)
	status, body = get(t, cfg.HTTP.PublicURL+"/automation/runs", token)
	require.Equal(t, http.StatusOK, status, body)
	tickets, err := Tickets(cfg)
	require.NoError(t, err)
	ticket, err := tickets.Issue(auth.Grant{Subject: "alice", Role: auth.Admin})
	require.NoError(t, err)
	status, _ = get(t, cfg.HTTP.PublicURL+"/automation/runs", ticket)
	require.Equal(t, http.StatusUnauthorized, status, "a ticket opens nothing but the codec")

	_, metrics := get(t, "http://"+cfg.HTTP.DebugListen+"/metrics", secret.String{})
	require.Contains(t, metrics, `steward_http_requests_total{method="GET",status="503"} 1`)

	err = API(t.Context(), cfg, silent)
	require.True(t, fault.Is(err, fault.Unavailable), "the address is in use: %v", err)
	require.Contains(t, fault.Text(err), "STEWARD_LISTEN")
	require.NoError(t, stop())
}

func TestWorkerWaitsForTemporal(t *testing.T) {
	t.Parallel()
	cfg := settings(t)
	cfg.HTTP.DebugListen = freeAddress(t)
	stop := start(t, func(ctx context.Context) error { return Worker(ctx, cfg, silent) })
	require.Eventually(t, func() bool {
		_, metrics := get(t, "http://"+cfg.HTTP.DebugListen+"/metrics", secret.String{})
		return metrics != ""
	}, 10*time.Second, 10*time.Millisecond)
	_, metrics := get(t, "http://"+cfg.HTTP.DebugListen+"/metrics", secret.String{})
	require.Contains(t, metrics, "\n"+Polling+" 0\n")
	require.NoError(t, stop())
}

func TestProcessesRefuseWhatTheyCannotWorkWith(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*config.Config){
		"no model":          func(c *config.Config) { c.Model = config.Model{} },
		"unnamed model":     func(c *config.Config) { c.Model = config.Model{BaseURL: "http://127.0.0.1:1/v1"} },
		"egress":            func(c *config.Config) { c.Egress.Allow = []string{"somewhere"} },
		"data is a file":    func(c *config.Config) { c.Data = filepath.Join(c.Data, config.KeysFile) },
		"no keys at all":    func(c *config.Config) { c.Keys = config.Keys{} },
		"not an audit key":  func(c *config.Config) { c.Keys.Audit = secret.New("key") },
		"no codec key":      func(c *config.Config) { c.Keys.Codec = secret.String{} },
		"not a database":    func(c *config.Config) { c.Database.URL = secret.New("postgres://:::") },
		"no signing key":    func(c *config.Config) { c.Auth.SigningKey = secret.String{} },
		"no api key pepper": func(c *config.Config) { c.Auth.Pepper = secret.String{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := settings(t)
			spoil(cfg)
			require.Error(t, Both(t.Context(), cfg, silent))
		})
	}
}

func TestModels(t *testing.T) {
	t.Parallel()
	key := secret.New("sk-test")
	prices, err := price.Load("")
	require.NoError(t, err)
	for name, want := range map[string]struct {
		cfg             config.Model
		model, provider string
	}{
		"OpenAI":        {config.Model{APIKey: key}, openAIModel, "openai"},
		"named":         {config.Model{APIKey: key, Default: "gpt-x"}, "gpt-x", "openai"},
		"Azure":         {config.Model{BaseURL: "https://res.openai.azure.com/openai/v1", Default: "mine", Provider: "auto"}, "mine", "azure"},
		"said to be":    {config.Model{BaseURL: "http://127.0.0.1:1/v1", Default: "local", Provider: "vllm"}, "local", "vllm"},
		"compatible":    {config.Model{BaseURL: "http://127.0.0.1:1/v1", Default: "local"}, "local", "compatible"},
		"offline rules": {config.Model{BaseURL: "http://127.0.0.1:1/v1", Default: offline.Model}, offline.Model, offline.Provider},
	} {
		model, err := modelName(want.cfg)
		require.NoError(t, err, name)
		require.Equal(t, want.model, model, name)
		client, err := newModel(want.cfg, prices)
		require.NoError(t, err, name)
		require.Equal(t, want.provider, client.Provider(), name)
	}
	for name, wrong := range map[string]config.Model{
		"no key, no address": {}, "provider": {APIKey: key, Provider: "skynet"}, "feature": {APIKey: key, Features: []string{"magic"}},
		"window": {APIKey: key, Context: -1},
	} {
		_, err := newModel(wrong, prices)
		require.Equal(t, "invalid_settings", fault.CodeOf(err), name)
	}
}

func TestTokensBySharedKey(t *testing.T) {
	t.Parallel()
	cfg := settings(t)
	cfg.Auth.Algorithm, cfg.Auth.SharedKey = config.HS256, secret.New("0123456789abcdefghijklmnopqrstuv")
	tokens, err := Tokens(cfg)
	require.NoError(t, err)
	require.Empty(t, tokens.JWKS().Keys, "a shared key is not published")
}

func TestPresenceEndsWithItsHolder(t *testing.T) {
	t.Parallel()
	application, superuser := storetest.URLs(t)
	db, err := store.Open(t.Context(), application, 2)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	s := &shared{db: db, log: silent}
	present := func(want bool) func() bool {
		return func() bool {
			got, err := s.someonePresent(t.Context())
			return err == nil && got == want
		}
	}
	require.True(t, present(false)())
	stop := start(t, func(ctx context.Context) error { s.present(ctx); return nil })
	require.Eventually(t, present(true), 5*time.Second, 5*time.Millisecond)

	admin, err := store.Open(t.Context(), superuser, 1)
	require.NoError(t, err)
	t.Cleanup(admin.Close)
	_, err = admin.Pool.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = $1::int AND database = (SELECT oid FROM pg_database WHERE datname = current_database())", presenceClass)
	require.NoError(t, err)
	require.Eventually(t, present(true), 5*time.Second, 5*time.Millisecond, "it comes back after a lost connection")

	require.NoError(t, stop())
	require.Eventually(t, present(false), 5*time.Second, 5*time.Millisecond)
}

func TestSecretsAreListed(t *testing.T) {
	t.Parallel()
	cfg := settings(t)
	redactor := secret.NewRedactor(Secrets(cfg)...)
	for _, value := range []secret.String{cfg.Database.URL, cfg.Keys.Secrets, cfg.Keys.Codec, cfg.Keys.Audit, cfg.Auth.SigningKey, cfg.Auth.Pepper, cfg.Model.APIKey} {
		require.NotContains(t, redactor.Text("x "+value.Reveal()+" y"), value.Reveal())
	}
}
