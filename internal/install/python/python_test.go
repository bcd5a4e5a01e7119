package python_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/index"
	"steward/internal/fault"
	"steward/internal/install/python"
	"steward/internal/launch/process"
	"steward/internal/secret"
)

func TestMain(m *testing.M) {
	process.Become() // package managers start as this program
	os.Exit(m.Run())
}

// rig is Python that knows one index, the test's own.
type rig struct {
	*python.Tool
	index  *index.Index
	home   string
	folder string
}

func newRig(t *testing.T) rig {
	t.Helper()
	x := index.New(t)
	tool, err := python.New("python3", []string{"PATH=" + os.Getenv("PATH"), "PIP_INDEX_URL=" + x.Simple(), "PIP_NO_BINARY=:all:", "SECRET_KEY=never"})
	require.NoError(t, err)
	r := rig{Tool: tool, index: x, home: t.TempDir(), folder: t.TempDir()}
	require.NoError(t, r.Make(t.Context(), r.folder, r.home))
	return r
}

func wheel(name, version string) index.Wheel {
	module := strings.ReplaceAll(name, "-", "_")
	return index.Wheel{
		Name: name, Version: version, Scripts: map[string]string{name: module + ".__main__:main"},
		Files: map[string]string{module + "/__init__.py": "", module + "/__main__.py": index.PythonServer(version)},
	}
}

func TestWheelsAreInstalledByTheirHashes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	greeter := wheel("made-greeter", "1.0.0")
	greeter.Requires = []string{"part>=1"}
	r.index.PutWheel(t, greeter)
	r.index.PutWheel(t, wheel("part", "1.5"))
	newer := wheel("made-greeter", "2.0.0")
	newer.Source = true // there is no wheel of it: it is never taken
	r.index.PutWheel(t, newer)
	tooNew := wheel("made-greeter", "3.0.0")
	tooNew.RequiresPython = ">=4"
	r.index.PutWheel(t, tooNew)

	lock, err := r.Resolve(t.Context(), r.folder, r.home, "Made_Greeter", "", python.Index{})
	require.NoError(t, err)
	require.Len(t, lock, 2)
	require.Equal(t, "1.0.0", lock[0].Version)
	require.Len(t, lock[1].SHA256, 64)
	require.NoError(t, r.Install(t.Context(), r.folder, r.home, lock, python.Index{}))
	for module, want := range map[string][]string{"made_greeter": {"-m", "made_greeter"}, "made_greeter.__main__": {"-m", "made_greeter.__main__"}, "made-greeter": {"bin/made-greeter"}} {
		entry, err := python.Entry(r.folder, module)
		require.NoError(t, err, module)
		require.Equal(t, want, entry)
	}
	for _, module := range []string{"activate", "python", "pip", "gone", "made_greeter.gone"} {
		_, err := python.Entry(r.folder, module)
		require.True(t, fault.Is(err, fault.Invalid), module)
	}
	require.NoFileExists(t, filepath.Join(r.folder, "bin", "pip"), "what runs has no installer beside it")

	lock[0].SHA256 = strings.Repeat("0", 64)
	again := filepath.Join(t.TempDir(), "again")
	require.NoError(t, r.Make(t.Context(), again, r.home))
	err = r.Install(t.Context(), again, r.home, lock, python.Index{})
	require.True(t, fault.Is(err, fault.Invalid), err)
}

func TestWhatTheIndexRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	source := wheel("source-only", "1.0.0")
	source.Source = true
	r.index.PutWheel(t, source)
	tooNew := wheel("too-new", "1.0.0")
	tooNew.RequiresPython = ">=4"
	r.index.PutWheel(t, tooNew)
	direct := wheel("direct", "1.0.0")
	direct.Requires = []string{"part @ " + r.index.Simple() + "../files/part-1.0.0-py3-none-any.whl"}
	r.index.PutWheel(t, direct)
	r.index.PutWheel(t, wheel("part", "1.0.0"))
	for name, says := range map[string]string{"source-only": "as a wheel", "too-new": "another Python", "direct": "package index", "gone": "no such package"} {
		_, err := r.Resolve(t.Context(), r.folder, r.home, name, "1.0.0", python.Index{})
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", name, err)
		require.Contains(t, fault.Text(err), says)
		require.NotContains(t, fault.Text(err), "127.0.0.1")
	}
}

func TestPrivateIndexIsReachedWithItsPasswordAndNeverNamed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	private := index.New(t)
	private.Protect("reader", "canary-password")
	private.PutWheel(t, wheel("inhouse", "1.0.0"))
	address := secret.New(strings.Replace(private.Simple(), "http://", "http://reader:canary-password@", 1))
	require.NoError(t, python.CheckIndex("body.pipIndexUrl", address))
	lock, err := r.Resolve(t.Context(), r.folder, r.home, "inhouse", "", python.Index{URL: address})
	require.NoError(t, err)
	require.NoError(t, r.Install(t.Context(), r.folder, r.home, lock, python.Index{URL: address}))
	require.NoError(t, filepath.WalkDir(r.folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		require.NotContains(t, string(content), "canary-password", path)
		return err
	}))
	lock, err = r.Resolve(t.Context(), r.folder, r.home, "inhouse", "", python.Index{Extra: address})
	require.NoError(t, err)
	require.Equal(t, "1.0.0", lock[0].Version)
	_, err = r.Resolve(t.Context(), r.folder, r.home, "inhouse", "", python.Index{})
	require.Error(t, err)
	require.NotContains(t, fault.Text(err), "canary")
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mcp-server", "a", "Made_Greeter", "zope.interface", "2to3"} {
		require.NoError(t, python.CheckName("body.name", name), name)
	}
	for _, name := range []string{
		"", "-r", "--index-url=http://evil", ".", "..", "./x", "/etc", "x/y", "file:x", "git+https://x", "https://x/y.whl", "x @ https://y",
		"x[extra]", "x==1", "x>=1", "x;python_version>'3'", "x y", "x\n", "x\x00", "$(id)", "x-", "@x/y", "ünï", "x.whl/../y", strings.Repeat("x", 129),
	} {
		require.True(t, fault.Is(python.CheckName("body.name", name), fault.Invalid), "%q", name)
	}
	for _, version := range []string{"1", "1.0", "2026.10.19", "1.0rc1", "1.0.post1", "1!2.0", "1.0+cpu"} {
		require.NoError(t, python.CheckVersion("body.version", version), version)
	}
	for _, version := range []string{"", "latest", "v1", ">=1", "1.*", "==1", "1,2", "1 ", "1\n", "-1", "1;x", "1 --hash=sha256:0", "../1", strings.Repeat("1", 200)} {
		require.True(t, fault.Is(python.CheckVersion("body.version", version), fault.Invalid), "%q", version)
	}
	for _, module := range []string{"mcp_server", "a.b.c", "hello-mcp", "_x"} {
		require.NoError(t, python.CheckModule("body.pythonModule", module), module)
	}
	for _, module := range []string{"", "-c", "-m", "--x", "a..b", ".a", "a.", "a/b", "a b", "a;b", "a\nb", "__import__('os')", "os.system('id')", strings.Repeat("x", 129)} {
		require.True(t, fault.Is(python.CheckModule("body.pythonModule", module), fault.Invalid), "%q", module)
	}
	for _, address := range []string{"file:///etc", "/etc", "-i", "git+https://x", "https://", "https:// x", "https://x/\nPIP=1", "https://x/#y", "javascript:1", "x"} {
		err := python.CheckIndex("body.pipIndexUrl", secret.New(address))
		require.True(t, fault.Is(err, fault.Invalid), "%q", address)
	}
}

func FuzzReport(f *testing.F) {
	f.Add([]byte(`{"version":"1","install":[{"download_info":{"archive_info":{"hashes":{"sha256":"00"}}},"metadata":{"name":"x","version":"1"}}]}`))
	f.Add([]byte(`{"version":"1","install":[]}`))
	f.Fuzz(func(t *testing.T, report []byte) {
		lock, err := python.ReadReport(report, "x")
		if err != nil {
			return
		}
		require.Equal(t, "x", strings.ToLower(lock[0].Name))
		for _, p := range lock {
			require.NoError(t, python.CheckName("", p.Name))
			require.NoError(t, python.CheckVersion("", p.Version))
			require.Len(t, p.SHA256, 64)
		}
	})
}
