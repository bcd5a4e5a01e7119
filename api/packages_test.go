package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/dev/counterpart/index"
	"steward/internal/auth"
	"steward/internal/idempotency"
	"steward/internal/install"
	"steward/internal/install/installtest"
	"steward/internal/registry"
)

// shop is an edge whose packages come from an index of the test's own.
type shop struct {
	*rig
	index    *index.Index
	temporal *installtest.Temporal
	admin    string
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{index: index.New(t), temporal: installtest.New(t)}
	s.rig = newRig(t, func(d *api.Deps) {
		var err error
		d.Packages, err = install.New(d.DB, d.Ring, s.temporal, d.Registry, d.Log)
		require.NoError(t, err)
		installer, err := install.NewInstaller(d.DB, d.Ring, d.Registry, install.Options{
			Folder: filepath.Join(t.TempDir(), "packages"), Data: t.TempDir(), Node: "node", Python: "python3", MinAge: 7 * 24 * time.Hour,
			Environ: []string{"PATH=" + os.Getenv("PATH"), "npm_config_registry=" + s.index.NPM(), "npm_config_fetch_retries=0", "NPM_CONFIG_USERCONFIG=/dev/null"},
		}, d.Log)
		require.NoError(t, err)
		s.temporal.Work(installer, slog.New(slog.DiscardHandler))
		d.Install = func(ctx context.Context, p auth.Principal, pkg registry.Package, once idempotency.Once) (string, bool, error) {
			c, err := d.Packages.Import(ctx, p, pkg, once)
			return "/packages/by-id/" + pkg.Server.Name, c.Replayed, err
		}
	})
	s.admin = s.token("root", auth.Admin)
	for i, version := range []string{"1.0.0", "1.1.0"} {
		s.index.PutNPM(t, index.NPM{
			Name: "@made/greeter", Version: version, Published: time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC), Manifest: map[string]any{"bin": "index.js"},
			Files: map[string]string{"index.js": index.JavaScript(version)},
		})
	}
	return s
}

func (s *shop) asAdmin(method, path, body string) *httptest.ResponseRecorder {
	return s.do(call{method: method, path: path, body: body, token: s.admin})
}

type changed struct {
	Success bool
	Package *api.Package
	Server  *api.Server
}

// change makes a change that succeeds, on a machine of any speed: one that takes longer than an answer waits is read
// where that says, and its server is tried then.
func (s *shop) change(method, path, body string) changed {
	s.t.Helper()
	w := s.asAdmin(method, path, body)
	if w.Code != http.StatusAccepted {
		return decoded[changed](s.t, w, http.StatusOK)
	}
	out := s.settled(w.Header().Get("Location"))
	require.Empty(s.t, out.Package.Error)
	tried := s.asAdmin("PUT", "/mcp/servers/"+out.Package.MCPServerID+"/enable", "")
	out.Server = decoded[changed](s.t, tried, http.StatusOK).Server
	return out
}

// settled is the package at a path once no change of it is under way.
func (s *shop) settled(path string) changed {
	s.t.Helper()
	var out changed
	require.Eventually(s.t, func() bool {
		out = decoded[changed](s.t, s.asAdmin("GET", path, ""), http.StatusOK)
		return !install.Changing(out.Package.Status)
	}, 5*time.Minute, 50*time.Millisecond)
	return out
}

func TestPackageOverHTTP(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	const body = `{"name":"@made/greeter","version":"1.0.0","serverName":"greeter","transportType":"stdio","command":"node","args":["--option1"],"env":{"NODE_ENV":"production"}}`
	done := s.change("POST", "/packages/install", body)
	require.True(t, done.Success)
	require.Equal(t, "installed", done.Package.Status)
	require.Equal(t, "1.0.0", done.Package.Version)
	require.Equal(t, "greeter", done.Package.MCPServerID)
	require.Equal(t, "node", done.Package.Runtime)
	require.NotNil(t, done.Package.Installed)
	require.False(t, filepath.IsAbs(done.Package.InstallPath))
	require.Equal(t, "connected", done.Server.Status, "%+v", done.Server)
	require.Equal(t, "greet", done.Server.ToolsList[0].Name)
	require.Equal(t, "production", done.Server.Env["NODE_ENV"])

	p := problem(t, s.asAdmin("POST", "/packages/install", body), http.StatusConflict)
	require.Equal(t, "Server with name greeter already exists", p.Detail)

	listed := decoded[struct{ Packages []api.Package }](t, s.asAdmin("GET", "/packages?checkUpdates=true", ""), 200)
	require.Len(t, listed.Packages, 1)
	require.Equal(t, "1.1.0", listed.Packages[0].LatestVersion)
	require.True(t, listed.Packages[0].UpdateAvailable)
	updates := decoded[struct{ Updates []api.Update }](t, s.asAdmin("GET", "/packages/updates?name=greeter", ""), 200)
	require.NotNil(t, updates.Updates[0].LatestCheckedAt)
	updates.Updates[0].LatestCheckedAt = nil
	require.Equal(t, []api.Update{{ServerName: "greeter", CurrentVersion: "1.0.0", LatestVersion: "1.1.0", UpdateAvailable: true}}, updates.Updates)
	problem(t, s.asAdmin("GET", "/packages/updates?name=nobody", ""), http.StatusNotFound)

	// npm's names hold a slash: plain or escaped, in every route.
	for _, name := range []string{"@made/greeter", "@made%2Fgreeter", "@made%2fgreeter", "%40made%2Fgreeter", "%40made/greeter"} {
		got := decoded[changed](t, s.asAdmin("GET", "/packages/by-name/"+name, ""), 200)
		require.Equal(t, "@made/greeter", got.Package.Name, name)
		w := s.asAdmin("PUT", "/packages/"+name+"/upgrade", `{"version":"9.9.9 "}`)
		require.Equal(t, "body.version", problem(t, w, 422).Errors[0].Location, name)
	}
	got := decoded[changed](t, s.asAdmin("GET", "/packages/by-id/greeter", ""), 200)
	require.Equal(t, "@made/greeter", got.Package.Name)
	problem(t, s.asAdmin("GET", "/packages/by-id/@made/greeter", ""), http.StatusNotFound)

	done = s.change("PUT", "/packages/@made/greeter/upgrade", "")
	require.Equal(t, "1.1.0", done.Package.Version)
	require.Equal(t, "1.0.0", done.Package.PreviousVersion)
	require.Equal(t, "connected", done.Server.Status)
	require.Equal(t, "production", done.Server.Env["NODE_ENV"])
	all := decoded[struct{ Results []api.Upgraded }](t, s.asAdmin("PUT", "/packages/upgrade-all", ""), 200)
	require.Equal(t, []api.Upgraded{{ServerName: "greeter", Success: true}}, all.Results)

	w := s.asAdmin("DELETE", "/packages/@made%2Fgreeter", "")
	require.Equal(t, 200, w.Code, w.Body.String())
	require.JSONEq(t, `{"success":true}`, w.Body.String())
	problem(t, s.asAdmin("GET", "/packages/by-name/@made/greeter", ""), http.StatusNotFound)
	problem(t, s.asAdmin("GET", "/mcp/servers/greeter", ""), http.StatusNotFound)
}

func TestPackageChangesThatNobodyWaitsFor(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	w := s.asAdmin("POST", "/packages/install?wait=false", `{"name":"@made/greeter","serverName":"greeter"}`)
	accepted := decoded[changed](t, w, http.StatusAccepted)
	require.Equal(t, "installing", accepted.Package.Status)
	require.Nil(t, accepted.Server)
	path := w.Header().Get("Location")
	require.Equal(t, "/packages/by-id/greeter", path)
	require.Equal(t, "installed", s.settled(path).Package.Status)

	p := problem(t, s.asAdmin("POST", "/packages/install", `{"name":"gone","serverName":"gone"}`), 422)
	require.Contains(t, p.Detail, "no such package")
	failed := decoded[changed](t, s.asAdmin("GET", "/packages/by-id/gone", ""), 200)
	require.Equal(t, "failed", failed.Package.Status)
	require.Equal(t, p.Detail, failed.Package.Error)
	require.Equal(t, 200, s.asAdmin("DELETE", "/packages/gone", "").Code)

	for _, role := range []auth.Role{auth.User, auth.Operator, auth.Auditor} {
		for _, c := range []call{
			{method: "POST", path: "/packages/install", body: `{"name":"x","serverName":"x"}`},
			{path: "/packages"},
			{path: "/packages/by-name/x"},
			{path: "/packages/by-id/x"},
			{path: "/packages/updates"},
			{method: "PUT", path: "/packages/x/upgrade"},
			{method: "PUT", path: "/packages/upgrade-all"},
			{method: "DELETE", path: "/packages/x"},
		} {
			c.token = s.token("somebody", role)
			problem(t, s.do(c), http.StatusForbidden)
		}
	}
}

// An index that does not answer is no sign that what runs is the newest version.
func TestUpgradesOfAllSayWhoseIndexIsSilent(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.change("POST", "/packages/install", `{"name":"@made/greeter","version":"1.0.0","serverName":"greeter"}`)
	for _, latest := range []string{"", "1.1.0"} { // it has never answered; it has answered before
		s.index.Protect("nobody", "knows")
		all := decoded[struct{ Results []api.Upgraded }](t, s.asAdmin("PUT", "/packages/upgrade-all", ""), 200)
		require.Equal(t, []api.Upgraded{{ServerName: "greeter", Error: "its index has not answered"}}, all.Results)
		got := decoded[changed](t, s.asAdmin("GET", "/packages/by-id/greeter", ""), 200)
		require.Equal(t, "1.0.0", got.Package.Version)
		require.Equal(t, latest, got.Package.LatestVersion)
		s.index.Protect("", "")
		if latest == "" {
			require.Equal(t, 200, s.asAdmin("GET", "/packages/updates", "").Code)
		}
	}
}

func TestImportsAreDoneOnceForAKey(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.temporal.Leave(true) // being accepted is enough
	imports := func(name, from string, header map[string]string) *httptest.ResponseRecorder {
		return s.do(call{method: "POST", path: "/mcp/servers/import", token: s.admin, header: header, body: `{"name":"` + name + `","from":"` + from + `","enabled":false,"server":{
			"name":"com.example/greeter","description":"x","version":"1.0.0","remotes":[{"type":"streamable-http","url":"https://example.com/mcp"}],
			"packages":[{"registryType":"npm","identifier":"@made/greeter","version":"1.0.0","transport":{"type":"stdio"}}]}}`})
	}
	for from, status := range map[string]int{"package": http.StatusAccepted, "remote": http.StatusCreated} {
		key := map[string]string{"Idempotency-Key": "k-" + from}
		first, again := imports(from, from, key), imports(from, from, key)
		require.Equal(t, status, first.Code, first.Body)
		require.Empty(t, first.Header().Get("Idempotency-Replayed"))
		require.Equal(t, status, again.Code, again.Body)
		require.Equal(t, "true", again.Header().Get("Idempotency-Replayed"), from)
		require.Equal(t, first.Header().Get("Location"), again.Header().Get("Location"))
		require.Equal(t, "idempotency_mismatch", problem(t, imports("other", from, key), 422).Code)
		problem(t, imports(from, from, nil), http.StatusConflict)
	}
	other := imports("package", "remote", map[string]string{"Idempotency-Key": "k-package"})
	require.Equal(t, "idempotency_mismatch", problem(t, other, 422).Code, "one route, whatever is imported")
	rows, err := s.db.ListPackages(t.Context())
	require.NoError(t, err)
	require.Len(t, rows, 1)
}

// Seed 001: for streamable_http, command, args and env are ignored.
func TestServerElsewhereHasNoCommand(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	const command = `"command":"./node_modules/@missionsquad/mcp-helper-tools/build/index.js"`
	w := s.asAdmin("POST", "/packages/install?wait=false", `{"name":"a","serverName":"a","transportType":"streamable_http","url":"https://example.com/mcp","args":["x"],"env":{"A":"b"},`+command+`}`)
	require.Equal(t, http.StatusAccepted, w.Code, w.Body)
	s.settled(w.Header().Get("Location"))
	w = s.asAdmin("POST", "/packages/install", `{"name":"b","serverName":"b",`+command+`}`)
	require.Equal(t, "body.command", problem(t, w, 422).Errors[0].Location)
}

// T-02: what somebody writes into a request ends nowhere but in its own slot.
func TestHostileInstallationsAreRefused(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	field := func(name, value string) string { return `"` + name + `":` + value }
	node := func(fields ...string) string {
		return "{" + strings.Join(append([]string{field("name", `"greeter"`), field("serverName", `"s"`)}, fields...), ",") + "}"
	}
	python := func(fields ...string) string {
		return node(append([]string{field("runtime", `"python"`), field("pythonModule", `"m"`)}, fields...)...)
	}
	var bodies []string
	for _, name := range []string{
		"-g", "--registry=http://evil", "file:/etc", "git+ssh://x/y", "https://x/y.tgz", "x@latest", "npm:x", "../x", "/etc/passwd", "a b", "a;id", "$(id)", "`id`", "a|b", "X", "@a/b/c",
		"@a/-b", "a\\u0000b", "a\\nb", "node_modules",
	} {
		bodies = append(bodies, `{"name":"`+name+`","serverName":"s"}`)
	}
	for _, version := range []string{"^1.0.0", ">=1", "1", "*", "1.0.0;id", "-1", "file:x", "1.0.0 || 2.0.0", "v1.0.0"} {
		bodies = append(bodies, node(field("version", `"`+version+`"`)))
	}
	for _, server := range []string{"../x", "a/b", "..", ".", "-x", "a b", "a\\u0000", "$(id)"} {
		bodies = append(bodies, `{"name":"greeter","serverName":"`+server+`"}`)
	}
	for _, command := range []string{"sh", "npx", "/bin/sh", "node -e 1", "python"} {
		bodies = append(bodies, node(field("command", `"`+command+`"`)))
	}
	for _, variable := range []string{"NODE_OPTIONS", "LD_PRELOAD", "PATH", "PYTHONPATH", "DOCKER_HOST", "A=B", "", "A\\nB"} {
		bodies = append(bodies, node(field("env", `{"`+variable+`":"x"}`)))
	}
	bodies = append(bodies,
		node(field("args", `["a\u0000b"]`)), node(field("args", `["a\nb"]`)), node(field("env", `{"A":"b\u0000c"}`)), node(field("pythonModule", `"os"`)),
		node(field("pipIndexUrl", `"https://x/simple"`)), node(field("cwd", `"/"`)), node(field("transportType", `"docker"`)), node(field("runtime", `"ruby"`)),
		python(field("pipIndexUrl", `"file:///etc"`)), python(field("pipExtraIndexUrl", `"https://a https://b"`)), python(field("version", `">=1"`)),
		python(field("transportType", `"streamable_http"`), field("url", `"https://x/mcp"`)), node(field("runtime", `"python"`)),
		node(field("runtime", `"python"`), field("pythonModule", `"-c"`)), node(field("runtime", `"python"`), field("pythonModule", `"os;x"`)),
		node(field("transportType", `"streamable_http"`)), node(field("transportType", `"streamable_http"`), field("url", `"ftp://x/mcp"`)),
		node(field("transportType", `"streamable_http"`), field("url", `"http://169.254.169.254/latest/meta-data"`)),
	)
	require.Greater(t, len(bodies), 60)
	for _, body := range bodies {
		w := s.asAdmin("POST", "/packages/install", body)
		require.Equal(t, 422, w.Code, "%s: %s", body, w.Body)
	}
	inside := s.asAdmin("POST", "/packages/install", bodies[len(bodies)-1])
	require.Equal(t, registry.CodeEgressDenied, problem(t, inside, 422).Code)
	require.Empty(t, s.index.Asked())
	rows, err := s.db.ListPackages(t.Context())
	require.NoError(t, err)
	require.Empty(t, rows)
}
