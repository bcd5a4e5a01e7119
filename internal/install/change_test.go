package install_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/index"
	"steward/internal/audit"
	"steward/internal/fault"
	"steward/internal/idempotency"
	"steward/internal/install"
	installpython "steward/internal/install/python"
	"steward/internal/launch/process"
	"steward/internal/secret"
	"steward/internal/store"
)

func TestPackageIsInstalledUpgradedAndRemovedWithoutATrace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish("@made/greeter", "1.0.0", "1.1.0", "2.0.0")
	row := r.install(install.Request{
		Name: "@made/greeter", Version: "1.0.0", ServerName: "greeter", Args: []string{"--polite", "all of you"}, Enabled: true,
		Env: map[string]secret.String{"GREETING": secret.New("canary-greeting")},
	})
	require.Equal(t, "1.0.0", row.Version)
	require.True(t, strings.HasPrefix(row.Folder, "greeter/1.0.0-"))
	require.Contains(t, string(row.Lock), "sha512-")
	said, err := r.greet("greeter")
	require.NoError(t, err)
	require.Contains(t, said, "1.0.0 --polite all of you")

	// What ran goes on running, and its settings stay.
	out := r.settle(r.Upgrade(t.Context(), admin, row, ""))
	require.NoError(t, out.Err, r.log)
	require.Equal(t, "2.0.0", out.Package.Version)
	require.Equal(t, "1.0.0", out.Package.Previous)
	require.NotNil(t, out.Package.UpgradedAt)
	said, err = r.greet("greeter")
	require.NoError(t, err)
	require.Contains(t, said, "2.0.0 --polite all of you")
	require.Len(t, r.folders(), 2, "the way back is kept")
	out = r.settle(r.Upgrade(t.Context(), admin, row, "1.1.0"))
	require.NoError(t, out.Err, r.log)
	require.Equal(t, "1.1.0", out.Package.Version)
	require.Len(t, r.folders(), 2, "one way back")

	_, err = r.Install(t.Context(), admin, install.Request{Name: "other", ServerName: "greeter"})
	require.True(t, fault.Is(err, fault.Conflict), err)
	require.Equal(t, "Server with name greeter already exists", fault.Text(err))

	kept := process.StateFolder(r.data, *out.Package.ServerID)
	require.DirExists(t, kept)
	out = r.settle(r.Remove(t.Context(), admin, out.Package))
	require.NoError(t, out.Err)
	require.Nil(t, out.Package)
	require.Empty(t, r.folders())
	require.NoDirExists(t, kept)
	entries, err := os.ReadDir(r.folder)
	require.NoError(t, err)
	require.Empty(t, entries)
	s, err := r.registry.ByName(t.Context(), "alice", "greeter")
	require.NoError(t, err)
	require.Nil(t, s)
	require.Len(t, r.audited(audit.PackageAccepted), 4)
	require.Len(t, r.audited(audit.PackageSettled), 4)
	require.NotContains(t, r.log.String(), "canary-greeting")
}

func TestLatestIsResolvedOnceAndStored(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish("greeter", "1.0.0")
	fresh := index.NPM{
		Name: "greeter", Version: "1.1.0", Published: time.Now().Add(-time.Hour), Manifest: map[string]any{"bin": "index.js"},
		Files: map[string]string{"index.js": index.JavaScript("1.1.0")},
	}
	r.index.PutNPM(t, fresh)
	row := r.install(install.Request{Name: "greeter", Version: "latest", ServerName: "greeter"})
	require.Equal(t, "1.0.0", row.Version, "what is published now is for tomorrow")
	require.Contains(t, string(row.Lock), `"version": "1.0.0"`)
	require.NoError(t, r.Check(t.Context(), row.ID))
	require.Equal(t, "1.0.0", r.read(row.ID).Latest)

	out := r.settle(r.Upgrade(t.Context(), admin, row, "1.1.0"))
	require.NoError(t, out.Err, "one that somebody names may be younger")
	require.Equal(t, "1.1.0", out.Package.Version)
	r.publish("greeter", "1.2.0")
	require.NoError(t, r.Check(t.Context(), row.ID))
	require.Equal(t, "1.1.0", r.read(row.ID).Version, "nothing moves by itself")
}

func TestUpgradeThatDoesNotAnswerLeavesWhatRan(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish("greeter", "1.0.0")
	r.publishBroken("greeter", "2.0.0")
	row := r.install(install.Request{Name: "greeter", Version: "1.0.0", ServerName: "greeter", Enabled: true})
	before := r.folders()
	out := r.settle(r.Upgrade(t.Context(), admin, row, ""))
	require.True(t, fault.Is(out.Err, fault.Upstream), "%v", out.Err)
	require.Contains(t, fault.Text(out.Err), "does not answer")
	require.NotContains(t, fault.Text(out.Err), r.folder)
	require.Equal(t, install.Installed, out.Package.Status)
	require.Equal(t, "1.0.0", out.Package.Version)
	require.Equal(t, before, r.folders())
	said, err := r.greet("greeter")
	require.NoError(t, err)
	require.Contains(t, said, "1.0.0")

	failed := r.settle(r.Install(t.Context(), admin, install.Request{Name: "greeter", Version: "2.0.0", ServerName: "second"}))
	require.Error(t, failed.Err)
	require.Equal(t, install.Failed, failed.Package.Status)
	r.install(install.Request{Name: "greeter", Version: "1.0.0", ServerName: "second"}) // takes the place of the failed one
	_, err = r.Find(t.Context(), "greeter")
	require.NoError(t, err, "there is a server of this name")
	_, err = r.Find(t.Context(), "nothing")
	require.True(t, fault.Is(err, fault.NotFound))
}

func TestUpgradeIsTriedWithWhatIsSaved(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, version := range []string{"1.0.0", "2.0.0"} {
		r.index.PutNPM(t, index.NPM{
			Name: "greeter", Version: version, Manifest: map[string]any{"bin": "index.js"},
			Files: map[string]string{"index.js": index.JavaScript(version) + "\nif (!process.env.GREETING) process.exit(3);\n"},
		})
	}
	request := install.Request{Name: "greeter", Version: "1.0.0", ServerName: "greeter", Enabled: true}
	require.Error(t, r.settle(r.Install(t.Context(), admin, request)).Err, "it needs the variable")
	request.Env = map[string]secret.String{"GREETING": secret.New("canary-greeting")}
	row := r.install(request)
	out := r.settle(r.Upgrade(t.Context(), admin, row, "2.0.0"))
	require.NoError(t, out.Err, r.log)
	require.Equal(t, "2.0.0", out.Package.Version)
}

func TestTamperedPackageIsNotStarted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish("greeter", "1.0.0")
	row := r.install(install.Request{Name: "greeter", ServerName: "greeter", Enabled: true})
	script := filepath.Join(r.folder, row.Folder, "node_modules", "greeter", "index.js")
	content, err := os.ReadFile(script)
	require.NoError(t, err)
	content[len(content)-2] ^= 1
	require.NoError(t, os.WriteFile(script, content, 0o600))
	_, err = r.greet("greeter")
	require.Equal(t, "package_changed", fault.CodeOf(err), "%v", err)
	require.NotContains(t, fault.Text(err), r.folder)

	out := r.settle(r.Upgrade(t.Context(), admin, row, "1.0.0")) // the way to mend it
	require.NoError(t, out.Err, r.log)
	_, err = r.greet("greeter")
	require.NoError(t, err)
}

func TestEngineTooNewIsRefusedBeforeAnythingIsDownloaded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.index.PutNPM(t, index.NPM{
		Name: "greeter", Version: "1.0.0", Manifest: map[string]any{"bin": "index.js", "engines": map[string]string{"node": ">=99"}},
		Files: map[string]string{"index.js": index.JavaScript("1.0.0")},
	})
	out := r.settle(r.Install(t.Context(), admin, install.Request{Name: "greeter", ServerName: "greeter"}))
	require.True(t, fault.Is(out.Err, fault.Invalid), "%v", out.Err)
	require.Regexp(t, `^greeter 1\.0\.0 needs Node\.js >=99; this server has \d+\.\d+\.\d+$`, fault.Text(out.Err))
	require.NotContains(t, strings.Join(r.index.Asked(), " "), ".tgz")
	require.Empty(t, r.folders())
}

func TestPythonPackageFromAPrivateIndex(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	private := index.New(t)
	private.Protect("reader", "canary-password")
	private.PutWheel(t, python("made-greeter", "1.0.0"))
	address := secret.New(strings.Replace(private.Simple(), "http://", "http://reader:canary-password@", 1))
	row := r.install(install.Request{
		Name: "made-greeter", Version: "1.0.0", ServerName: "python-mcp", Runtime: install.Python, PythonModule: "made_greeter", PythonArgs: []string{"--port", "0"}, Enabled: true,
		Index: installpython.Index{URL: address}, Env: map[string]secret.String{"GREETING": secret.New("canary-greeting")},
	})
	require.Equal(t, "1.0.0", row.Version)
	require.Equal(t, []string{"-m", "made_greeter"}, row.Entry)
	said, err := r.greet("python-mcp")
	require.NoError(t, err, r.log)
	require.Contains(t, said, "1.0.0 --port 0")
	s, err := r.registry.ByName(t.Context(), "alice", "python-mcp")
	require.NoError(t, err)
	r.registry.Drop("alice", s)
	_, err = r.greet("python-mcp")
	require.NoError(t, err, "running it has changed nothing of it")

	private.PutWheel(t, python("made-greeter", "2.0.0")) // the index settings are used again
	require.NoError(t, r.Check(t.Context(), row.ID))
	require.Equal(t, "2.0.0", r.read(row.ID).Latest)
	out := r.settle(r.Upgrade(t.Context(), admin, row, "2.0.0"))
	require.NoError(t, out.Err, r.log)
	require.Equal(t, "2.0.0", out.Package.Version)
	said, err = r.greet("python-mcp")
	require.NoError(t, err)
	require.Contains(t, said, "2.0.0")

	dump := r.dump()
	require.NotContains(t, dump, "canary")
	require.NotContains(t, r.log.String(), "canary")
}

// dump is everything the tables of this subject hold, as text.
func (r *rig) dump() string {
	r.t.Helper()
	var out string
	require.NoError(r.t, r.db.Pool.QueryRow(r.t.Context(), `SELECT coalesce((SELECT string_agg(to_jsonb(p)::text, '') FROM packages p), '')
		|| coalesce((SELECT string_agg(to_jsonb(a)::text, '') FROM audit_events a), '') || coalesce((SELECT string_agg(to_jsonb(s)::text, '') FROM mcp_servers s), '')`).Scan(&out))
	return out
}

func TestAcceptedWhileTemporalIsAway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish("greeter", "1.0.0")
	r.temporal.Leave(true)
	request := install.Request{Name: "greeter", ServerName: "greeter", Once: idempotency.Once{Route: "POST /packages/install", Key: "k", Digest: []byte("d")}}
	c, err := r.Install(t.Context(), admin, request)
	require.NoError(t, err)
	out, err := r.Wait(t.Context(), c, time.Millisecond)
	require.NoError(t, err)
	require.False(t, out.Done)
	again, err := r.Install(t.Context(), admin, request)
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, c.Package, again.Package)
	_, err = r.Remove(t.Context(), admin, out.Package)
	require.True(t, fault.Is(err, fault.Conflict), "it is being installed")

	r.temporal.Leave(false)
	require.NoError(t, r.ReconcileNow(t.Context()))
	require.NoError(t, r.settle(c, nil).Err, r.log)
}

func TestKilledAttemptLeavesNothingThatLasts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish("greeter", "1.0.0")
	r.temporal.Leave(true)
	c, err := r.Install(t.Context(), admin, install.Request{Name: "greeter", ServerName: "greeter"})
	require.NoError(t, err)
	h := install.Hold{Package: c.Package, Workflow: c.Workflow}
	release, err := r.installer.Resolve(t.Context(), h, "")
	require.NoError(t, err)
	// The first attempt dies with its worker: what it has made stays. The second has its own folder, and a
	// straggler of the first does no harm.
	_, err = r.installer.Build(t.Context(), h, release)
	require.NoError(t, err)
	dead := r.folders()
	second, err := r.installer.Build(t.Context(), h, release)
	require.NoError(t, err)
	require.NotEqual(t, dead, r.folders())
	straggler := dead[0]
	require.NoError(t, os.MkdirAll(straggler, 0o700))
	require.NoError(t, r.installer.Sweep(t.Context()))
	require.Len(t, r.folders(), 1)
	for range 2 { // every stage may be repeated
		require.NoError(t, r.installer.Try(t.Context(), h, second), r.log)
	}
	for range 2 {
		require.NoError(t, r.installer.Switch(t.Context(), h, second))
	}
	require.Equal(t, install.Installed, r.read(c.Package).Status)
	require.Len(t, r.audited(audit.PackageSettled), 1)
	_, err = r.installer.Build(t.Context(), h, release)
	require.Equal(t, "package_lost", fault.CodeOf(err), "a change that is over begins nothing")

	row := r.read(c.Package)
	removing, err := r.Remove(t.Context(), admin, row)
	require.NoError(t, err)
	h = install.Hold{Package: removing.Package, Workflow: removing.Workflow}
	for range 2 {
		require.NoError(t, r.installer.Remove(t.Context(), h))
	}
	require.Empty(t, r.folders())
}

func TestChangeEndedFromOutsideLetsGo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish("greeter", "1.0.0")
	row := r.install(install.Request{Name: "greeter", ServerName: "greeter"})
	n, err := r.db.BeginPackageChange(t.Context(), store.BeginPackageChangeParams{
		ID: row.ID, Status: install.Upgrading, WorkflowID: row.WorkflowID, FromStatus: []string{install.Installed},
	})
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	require.NoError(t, r.ReconcileNow(t.Context())) // its workflow has ended long ago
	row = r.read(row.ID)
	require.Equal(t, install.Installed, row.Status)
	require.Equal(t, "workflow_lost", row.ErrorCode)
}

func TestServerElsewhereNeedsNoDownload(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.install(install.Request{
		Name: "greeter", Version: "1.0.0", ServerName: "remote-http-server", Transport: install.StreamableHTTP, URL: "https://example.com/mcp",
		Headers: map[string]secret.String{"X-Custom-Header": secret.New("canary-header")}, Enabled: true, Args: []string{"ignored"},
	})
	require.Equal(t, install.Remote, row.Runtime)
	out := r.settle(r.Upgrade(t.Context(), admin, row, "1.1.0"))
	require.NoError(t, out.Err)
	require.Equal(t, "1.1.0", out.Package.Version)
	for _, whatever := range []string{"", "latest"} {
		out = r.settle(r.Upgrade(t.Context(), admin, out.Package, whatever))
		require.NoError(t, out.Err)
		require.Equal(t, "1.1.0", out.Package.Version, "what is known stays")
	}
	s, err := r.registry.ByName(t.Context(), "alice", "remote-http-server")
	require.NoError(t, err)
	require.Equal(t, "https://example.com/mcp", s.URL)
	require.NotEmpty(t, s.HeadersSealed)
	require.Empty(t, r.index.Asked())
	require.NoError(t, r.settle(r.Remove(t.Context(), admin, out.Package)).Err)
}
