package install_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/index"
	"steward/internal/auth"
	"steward/internal/auth/authtest"
	"steward/internal/egress"
	"steward/internal/install"
	"steward/internal/install/installtest"
	"steward/internal/launch/process"
	"steward/internal/mcpclient"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
	"steward/internal/vault"
)

func TestMain(m *testing.M) {
	process.Become() // a child of the registry's starts as this program
	os.Exit(m.Run())
}

var admin = auth.Principal{Owner: "admin", Actor: "admin", Role: auth.Admin, Scopes: auth.Admin.Scopes()}

// rig is the whole subject but for Temporal's server: package managers, folders, the registry's sandbox.
type rig struct {
	*install.Service
	t         *testing.T
	db        *store.DB
	ring      *secret.Ring
	index     *index.Index
	folder    string
	data      string
	temporal  *installtest.Temporal
	installer *install.Installer
	registry  *registry.Registry
	log       *logs
}

// logs keeps what was logged.
type logs struct {
	mu   sync.Mutex
	text []byte
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

func newRig(t *testing.T) *rig {
	t.Helper()
	x := index.New(t)
	return newRigWith(t, x, []string{"npm_config_registry=" + x.NPM(), "npm_config_fetch_retries=0", "NPM_CONFIG_USERCONFIG=/dev/null", "PIP_INDEX_URL=" + x.Simple()})
}

func newRigWith(t *testing.T, x *index.Index, environ []string) *rig {
	t.Helper()
	r := &rig{t: t, db: storetest.New(t), index: x, folder: filepath.Join(t.TempDir(), "packages"), data: t.TempDir(), temporal: installtest.New(t), log: &logs{}}
	log := slog.New(slog.NewTextHandler(r.log, nil))
	var err error
	r.ring, err = secret.NewRing(authtest.Key(t))
	require.NoError(t, err)
	kept, err := vault.New(r.db, r.ring)
	require.NoError(t, err)
	guard, err := install.NewGuard(r.db, r.folder)
	require.NoError(t, err)
	r.registry, err = registry.New(r.db, r.ring, &oauth.Service{}, kept, egress.New(egress.Rules{}), registry.Options{Packages: r.folder, Data: r.data, Installed: guard.Check}, log)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		require.NoError(t, r.registry.Close(ctx))
	})
	r.installer, err = install.NewInstaller(r.db, r.ring, r.registry, install.Options{
		Folder: r.folder, Data: r.data, Node: "node", Python: "python3", MinAge: 7 * 24 * time.Hour,
		Environ: append([]string{"PATH=" + os.Getenv("PATH"), "SECRET_KEY=never"}, environ...),
	}, log)
	require.NoError(t, err)
	r.temporal.Work(r.installer, log)
	r.Service, err = install.New(r.db, r.ring, r.temporal, r.registry, log)
	require.NoError(t, err)
	return r
}

// publish makes releases of a server that answers with its version.
func (r *rig) publish(name string, versions ...string) {
	r.t.Helper()
	for i, version := range versions {
		r.index.PutNPM(r.t, index.NPM{
			Name: name, Version: version, Published: time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC), Manifest: map[string]any{"bin": "index.js"},
			Files: map[string]string{"index.js": index.JavaScript(version)},
		})
	}
}

// publishBroken makes a release that installs and never answers.
func (r *rig) publishBroken(name, version string) {
	r.t.Helper()
	r.index.PutNPM(r.t, index.NPM{
		Name: name, Version: version, Published: time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC), Manifest: map[string]any{"bin": "index.js"},
		Files: map[string]string{"index.js": "process.exit(3)"},
	})
}

// settle waits for the end of a change.
func (r *rig) settle(c install.Change, err error) install.Outcome {
	r.t.Helper()
	require.NoError(r.t, err)
	out, err := r.Wait(r.t.Context(), c, 3*time.Minute)
	require.NoError(r.t, err)
	require.True(r.t, out.Done)
	return out
}

// install installs and must succeed.
func (r *rig) install(request install.Request) *store.Package {
	r.t.Helper()
	out := r.settle(r.Install(r.t.Context(), admin, request))
	require.NoError(r.t, out.Err, r.log)
	require.Equal(r.t, install.Installed, out.Package.Status)
	return out.Package
}

// greet calls the tool of a package's server as a user would.
func (r *rig) greet(server string) (string, error) {
	r.t.Helper()
	s, err := r.registry.ByName(r.t.Context(), "alice", server)
	require.NoError(r.t, err)
	require.NotNil(r.t, s)
	result, err := r.registry.Call(r.t.Context(), "alice", s, mcpclient.Call{Tool: "greet", Arguments: []byte("{}")})
	if err != nil {
		return "", err
	}
	return string(result.Content), nil
}

// folders lists what is below the packages folder.
func (r *rig) folders() []string {
	r.t.Helper()
	found, err := filepath.Glob(filepath.Join(r.folder, "*", "*"))
	require.NoError(r.t, err)
	return found
}

func (r *rig) read(id int64) *store.Package {
	r.t.Helper()
	row, err := r.db.GetPackage(r.t.Context(), id)
	require.NoError(r.t, err)
	return row
}

func (r *rig) audited(kind string) []string {
	r.t.Helper()
	rows, err := r.db.Pool.Query(r.t.Context(), "SELECT body::text FROM audit_events WHERE kind = $1 ORDER BY seq", kind)
	require.NoError(r.t, err)
	defer rows.Close()
	var out []string
	for rows.Next() {
		var body string
		require.NoError(r.t, rows.Scan(&body))
		out = append(out, body)
	}
	require.NoError(r.t, rows.Err())
	return out
}

func python(name, version string) index.Wheel {
	return index.Wheel{
		Name: name, Version: version, Scripts: map[string]string{name: fmt.Sprintf("made_%s.__main__:main", version[:1])},
		Files: map[string]string{"made_greeter/__init__.py": "", "made_greeter/__main__.py": index.PythonServer(version)},
	}
}
