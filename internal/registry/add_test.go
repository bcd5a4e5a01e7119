package registry_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/idempotency"
	"steward/internal/registry"
	"steward/internal/registry/input"
	"steward/internal/secret"
)

func plain(values map[string]string) map[string]secret.String {
	sealed := map[string]secret.String{}
	for name, v := range values {
		sealed[name] = secret.New(v)
	}
	return sealed
}

// count is how many servers and audit events there are.
func (w *world) count() (servers, events int) {
	w.t.Helper()
	require.NoError(w.t, w.db.Pool.QueryRow(w.t.Context(), "SELECT (SELECT count(*) FROM mcp_servers), (SELECT count(*) FROM audit_events)").Scan(&servers, &events))
	return servers, events
}

func TestT01OnlyAdminsSayWhatRunsHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	remote := registry.Server{Name: "x", Transport: "http", URL: "https://example.com/mcp"}
	service := auth.Principal{Owner: "alice", Actor: "apikey:1", Role: auth.Service, Scopes: auth.Service.Scopes(), Kind: auth.APIKey}
	for name, change := range map[string]func(*registry.Server){
		"command": func(s *registry.Server) { s.Transport, s.URL, s.Command = "stdio", "", "sh" },
		"shell": func(s *registry.Server) {
			s.Transport, s.Command, s.Args = "stdio", "sh", []string{"-c", "id > /tmp/x"}
		},
		"args":     func(s *registry.Server) { s.Args = []string{"--eval"} },
		"env":      func(s *registry.Server) { s.Env = plain(map[string]string{"A": "b"}) },
		"inputs":   func(s *registry.Server) { s.EnvSchema = []input.Field{{Name: "A"}} },
		"image":    func(s *registry.Server) { s.Image = "mcp/filesystem" },
		"trust":    func(s *registry.Server) { s.Trusted = true },
		"provider": func(s *registry.Server) { s.AuthProvider = "google" },
		"stdio":    func(s *registry.Server) { s.Transport, s.URL = "stdio", "" },
	} {
		for _, p := range []auth.Principal{user("alice"), service} {
			s := remote
			change(&s)
			_, _, err := w.Add(t.Context(), p, s, idempotency.Once{})
			require.True(t, fault.Is(err, fault.Forbidden), "%s: %v", name, err)
			require.Equal(t, auth.CodeInsufficientScope, fault.CodeOf(err), name)
		}
	}
	reader := auth.Principal{Owner: "olga", Actor: "olga", Role: auth.Operator, Scopes: auth.Operator.Scopes()}
	_, _, err := w.Add(t.Context(), reader, remote, idempotency.Once{})
	require.True(t, fault.Is(err, fault.Forbidden))
	servers, events := w.count()
	require.Zero(t, servers+events, "nothing is written")

	own := w.add(user("alice"), remote)
	command := "sh"
	stdio := "stdio"
	_, err = w.Change(t.Context(), user("alice"), own.ID, registry.Patch{Transport: &stdio, Command: &command})
	require.True(t, fault.Is(err, fault.Forbidden), "nor by way of a change")
	shared := w.add(admin(), registry.Server{Name: "shared", Transport: "stdio", Command: "server"})
	_, err = w.SetEnabled(t.Context(), user("alice"), shared.ID, false)
	require.True(t, fault.Is(err, fault.Forbidden))
	require.True(t, fault.Is(w.Remove(t.Context(), user("alice"), shared.ID), fault.Forbidden))
}

// smuggled is a server that an admin may not register either, with the place where that is said.
type smuggled struct {
	at     string
	server registry.Server
}

func smuggling() []smuggled {
	var all []smuggled
	for _, name := range []string{
		"NODE_OPTIONS", "node_options", "NODE_PATH", "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED", "NODE_REPL_EXTERNAL_MODULE",
		"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "GLIBC_TUNABLES", "GCONV_PATH", "PYTHONPATH", "PYTHONSTARTUP",
		"PYTHONHOME", "PYTHONINSPECT", "PATH", "HOME", "SHELL", "IFS", "ENV", "BASH_ENV", "PS4", "PROMPT_COMMAND", "BASH_FUNC_x", "DOCKER_HOST",
		"DOCKER_CONFIG", "PERL5OPT", "PERL5LIB", "RUBYOPT", "RUBYLIB", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH", "GIT_SSH_COMMAND",
		"GIT_EXEC_PATH", "SSH_AUTH_SOCK", "SSLKEYLOGFILE", "SSL_CERT_FILE", "HTTPS_PROXY", "http_proxy", "PIP_INDEX_URL", "NPM_CONFIG_REGISTRY",
		"npm_config_script_shell", "STEWARD_SIGNING_KEY", "TEMPORAL_ADDRESS", "OPENSSL_CONF", "LESSOPEN", "EDITOR", "TMPDIR", "A-B", "1A", "A=B", "A B", "ä",
	} {
		all = append(all, smuggled{"body.env." + name, registry.Server{Name: "x", Transport: "stdio", Command: "server", Env: plain(map[string]string{name: "canary-4711"})}})
	}
	for _, name := range []string{"", "A\x00", "A\n", strings.Repeat("A", 200)} {
		all = append(all, smuggled{"body.env", registry.Server{Name: "x", Transport: "stdio", Command: "server", Env: plain(map[string]string{name: "canary-4711"})}})
	}
	for _, arg := range []string{"a\nb", "a\rb", "a\x00b"} {
		all = append(all, smuggled{"body.args[1]", registry.Server{Name: "x", Transport: "stdio", Command: "server", Args: []string{"ok", arg}}})
	}
	for _, command := range []string{"", "npx", "/usr/bin/npx", "uvx", "pip", "deno", " sh", "sh\n", strings.Repeat("x", 5000)} {
		all = append(all, smuggled{"body.command", registry.Server{Name: "x", Transport: "stdio", Command: command}})
	}
	for _, name := range []string{
		"Host", "Connection", "Transfer-Encoding", "Content-Length", "Content-Type", "Upgrade", "TE", "Trailer", "Keep-Alive", "Proxy-Authorization",
		"Proxy-Connection", "Mcp-Session-Id", "Mcp-Protocol-Version", "X-Forwarded-For", "Forwarded", "Via", "Origin", "Expect", "Accept", "Last-Event-ID",
	} {
		all = append(all, smuggled{"body.headers." + name, registry.Server{Name: "x", Transport: "http", URL: "https://example.com", Headers: plain(map[string]string{name: "canary-4711"})}})
	}
	for _, value := range []string{"canary-4711\r\nX-Admin: 1", "canary-4711\nX: y", "canary\x00-4711", "Bearer canary-4711\r\n\r\nGET / HTTP/1.1", " canary-4711", "canäry-4711"} {
		all = append(all, smuggled{"body.headers.Authorization", registry.Server{Name: "x", Transport: "http", URL: "https://example.com", Headers: plain(map[string]string{"Authorization": value})}})
	}
	for _, name := range []string{"", "a/b", "../x", "x y", "-x", ".x", "4711", strings.Repeat("x", 129), "x\n", "ä", "a:b", "{name}"} {
		all = append(all, smuggled{"body.name", registry.Server{Name: name, Transport: "http", URL: "https://example.com"}})
	}
	for _, url := range []string{"", "ftp://example.com", "https://user:canary-4711@example.com", "https://example.com#canary-4711", "https://", "javascript:alert(1)", "https://exa mple.com\n"} {
		all = append(all, smuggled{"body.url", registry.Server{Name: "x", Transport: "http", URL: url}})
	}
	return all
}

func TestT02NothingIsSmuggledInWhatIsRegistered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	payloads := smuggling()
	require.Greater(t, len(payloads), 60)
	for _, p := range payloads {
		_, _, err := w.Add(t.Context(), admin(), p.server, idempotency.Once{})
		var refused *fault.Error
		require.ErrorAs(t, err, &refused, p.at)
		require.Equal(t, fault.Invalid, refused.Kind, p.at)
		require.NotEmpty(t, refused.Fields, p.at)
		require.Equal(t, p.at, refused.Fields[0].Location)
		require.NotContains(t, refused.Error(), "4711", "values are not repeated")
	}
	servers, events := w.count()
	require.Zero(t, servers+events)
}

func TestT06PrivateAddressesAreTheOperatorsToAllow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, url := range []string{
		"https://10.0.0.5/mcp", "https://169.254.169.254/latest", "https://[::1]/mcp", "https://[::ffff:10.0.0.1]/", "https://0x7f.1/", "https://2130706433/",
		"https://service.internal/mcp", "https://printer.local/", "https://intranet/", "https://192.168.1.1/", "https://100.64.0.1/", "https://168.63.129.16/",
	} {
		for _, p := range []auth.Principal{user("alice"), admin()} {
			_, _, err := w.Add(t.Context(), p, registry.Server{Name: "x", Transport: "http", URL: url}, idempotency.Once{})
			require.Equal(t, registry.CodeEgressDenied, fault.CodeOf(err), "%s: %v", url, err)
			require.True(t, fault.Is(err, fault.Invalid), url)
		}
	}
	_, _, err := w.Add(t.Context(), user("alice"), registry.Server{Name: "x", Transport: "http", URL: "http://example.com/mcp"}, idempotency.Once{})
	require.True(t, fault.Is(err, fault.Invalid), "users need https")
	w.add(user("alice"), registry.Server{Name: "allowed", Transport: "http", URL: "https://127.0.0.1:1/mcp"})
	st, err := w.Connect(t.Context(), "alice", must(w.ByName(t.Context(), "alice", "allowed")))
	require.NoError(t, err)
	require.Equal(t, "error", st.State)
	require.Equal(t, "the server could not be started or reached", st.Error, "no address in it")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestNamesAreUniqueForWhoSeesThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(name string) registry.Server {
		return registry.Server{Name: name, Transport: "http", URL: "https://example.com/mcp"}
	}
	shared := w.add(admin(), at("shared"))
	own := w.add(user("alice"), at("notes"))
	for _, p := range []auth.Principal{user("alice"), admin()} {
		_, _, err := w.Add(t.Context(), p, at("shared"), idempotency.Once{})
		require.Equal(t, "Server with name shared already exists", fault.Text(err))
		require.True(t, fault.Is(err, fault.Conflict))
	}
	_, _, err := w.Add(t.Context(), user("alice"), at("notes"), idempotency.Once{})
	require.Equal(t, registry.CodeNameTaken, fault.CodeOf(err))
	bobs := w.add(user("bob"), at("notes"))
	later := w.add(admin(), at("notes"))
	require.Nil(t, later.Owner, "an admin does not learn what users call theirs")

	find := func(owner, name string) int64 {
		row, err := w.ByName(t.Context(), owner, name)
		require.NoError(t, err)
		if row == nil {
			return 0
		}
		return row.ID
	}
	require.Equal(t, own.ID, find("alice", "notes"), "one's own wins")
	require.Equal(t, bobs.ID, find("bob", "notes"))
	require.Equal(t, later.ID, find("carol", "notes"))
	require.Equal(t, shared.ID, find("bob", fmt.Sprint(shared.ID)), "numbers are names too")
	require.Zero(t, find("bob", fmt.Sprint(own.ID)), "T-14: somebody else's is not there")
	require.Zero(t, find("bob", "nothing"))
}

func TestT14ForeignServersAreAbsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := w.add(user("alice"), registry.Server{Name: "notes", Transport: "http", URL: "https://example.com/mcp"})
	foreign := func(id int64) []string {
		var said []string
		title := "mine now"
		_, err := w.Change(t.Context(), user("bob"), id, registry.Patch{Title: &title})
		said = append(said, fault.Text(err))
		_, err = w.SetEnabled(t.Context(), user("bob"), id, false)
		said = append(said, fault.Text(err), fault.Text(w.Remove(t.Context(), user("bob"), id)),
			fault.Text(w.Review(t.Context(), user("bob"), id, "x", true, "p")),
			fault.Text(w.SetOverride(t.Context(), user("bob"), id, "x", registry.Override{})))
		return said
	}
	require.Equal(t, foreign(4711), foreign(own.ID))
	require.Equal(t, "no such server", foreign(own.ID)[0])
	row, err := w.Server(t.Context(), "bob", own.ID)
	require.NoError(t, err)
	require.Nil(t, row)
	_, err = w.Change(t.Context(), admin(), own.ID, registry.Patch{})
	require.True(t, fault.Is(err, fault.NotFound), "nor is it there for an admin")
}

func TestServersAreAddedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := registry.Server{Name: "notes", Transport: "http", URL: "https://example.com/mcp"}
	once := idempotency.Once{Route: "POST /mcp/servers", Key: "k", Digest: []byte("body")}
	first, replayed, err := w.Add(t.Context(), user("alice"), s, once)
	require.NoError(t, err)
	require.False(t, replayed)
	again, replayed, err := w.Add(t.Context(), user("alice"), s, once)
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, first.ID, again.ID)
	once.Digest = []byte("another")
	_, _, err = w.Add(t.Context(), user("alice"), s, once)
	require.Equal(t, "idempotency_mismatch", fault.CodeOf(err))
	require.NoError(t, w.Remove(t.Context(), user("alice"), first.ID))
	once.Digest = []byte("body")
	_, _, err = w.Add(t.Context(), user("alice"), s, once)
	require.Equal(t, "idempotency_gone", fault.CodeOf(err))
}

func TestServersSayWithWhoseAccountTheyWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.add(admin(), registry.Server{
		Name: "workspace", Transport: "stdio", Command: "server", Env: plain(map[string]string{"MCP_AUTH_TYPE": "OAUTH2_GOOGLE", "NODE_ENV": "production"}),
	})
	require.Equal(t, "google", s.AuthProvider)
	env := plain(map[string]string{"NODE_ENV": "production"})
	s, err := w.Change(t.Context(), admin(), s.ID, registry.Patch{Env: &env})
	require.NoError(t, err)
	require.Empty(t, s.AuthProvider)
}

func TestAddingIsAudited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(admin(), registry.Server{Name: "shared", Transport: "stdio", Command: "server", Args: []string{"--token=canary-4711-4711"}, Env: plain(map[string]string{"TOKEN": "canary-4711-4711"})})
	own := w.add(user("alice"), registry.Server{Name: "own", Transport: "http", URL: "https://example.com/mcp", Headers: plain(map[string]string{"X-Api-Key": "canary-4711-4711"})})
	require.NoError(t, w.Remove(t.Context(), user("alice"), own.ID))
	rows, err := w.db.Pool.Query(t.Context(), "SELECT chain || ' ' || kind || ' ' || actor || ' ' || body FROM audit_events ORDER BY at")
	require.NoError(t, err)
	var all []string
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		require.NotContains(t, line, "canary-4711")
		all = append(all, line)
	}
	require.NoError(t, rows.Err())
	require.Len(t, all, 3)
	require.Contains(t, all[0], "system server.added root ")
	require.Contains(t, all[0], `"env":["TOKEN"]`)
	require.Contains(t, all[1], "user/alice server.added alice ")
	require.Contains(t, all[2], "user/alice server.removed alice ")
}

func TestSecretsAreShownAsReferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.add(admin(), registry.Server{
		Name: "files", Transport: "stdio", Command: "server", EnvSchema: []input.Field{{Name: "DSN", Input: input.Input{Secret: true}}},
		Env: plain(map[string]string{"NODE_ENV": "production", "API_KEY": "canary-4711", "DSN": "canary-4712"}),
	})
	require.NotContains(t, string(s.EnvSealed), "canary")
	shown, err := w.Show(s)
	require.NoError(t, err)
	want := map[string]string{"NODE_ENV": "production", "API_KEY": "secret_ref:files:API_KEY", "DSN": "secret_ref:files:DSN"}
	require.Equal(t, want, shown.Env)

	back := plain(shown.Env)
	back["NODE_ENV"] = secret.New("development")
	s, err = w.Change(t.Context(), admin(), s.ID, registry.Patch{Env: &back})
	require.NoError(t, err)
	require.EqualValues(t, 2, s.Version)
	want["NODE_ENV"] = "development"
	shown, err = w.Show(s)
	require.NoError(t, err)
	require.Equal(t, want, shown.Env, "a reference given back keeps the value")
	require.Equal(t, "canary-4711", w.opened(s)["API_KEY"].Reveal())

	lost := plain(map[string]string{"OTHER": "secret_ref:files:API_KEY"})
	_, err = w.Change(t.Context(), admin(), s.ID, registry.Patch{Env: &lost})
	require.Contains(t, fault.Text(err), "body.env.OTHER", "and moves no value elsewhere")
}

// waitFor asks until it is so.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !so() {
		select {
		case <-ctx.Done():
			require.FailNow(t, "not in time: "+what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
