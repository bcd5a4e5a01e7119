package npm_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/index"
	"steward/internal/fault"
	"steward/internal/install/npm"
	"steward/internal/launch/process"
)

func TestMain(m *testing.M) {
	process.Become() // package managers start as this program
	os.Exit(m.Run())
}

// rig is npm that knows one registry, an index of the test's own.
type rig struct {
	*npm.Tool
	index *index.Index
	home  string
}

func newRig(t *testing.T) rig {
	t.Helper()
	x := index.New(t)
	tool, err := npm.New("node", []string{
		"PATH=" + os.Getenv("PATH"), "npm_config_registry=" + x.NPM(), "npm_config_fetch_retries=0", "SECRET_KEY=never",
		"NPM_CONFIG_USERCONFIG=/dev/null",
	})
	require.NoError(t, err)
	return rig{Tool: tool, index: x, home: t.TempDir()}
}

func (r rig) install(t *testing.T, name, version string) (string, error) {
	t.Helper()
	folder := t.TempDir()
	return folder, r.Install(t.Context(), folder, r.home, name, version, time.Now())
}

func server(name, version string, manifest map[string]any) index.NPM {
	return index.NPM{Name: name, Version: version, Manifest: manifest, Files: map[string]string{"index.js": index.JavaScript(version)}}
}

func TestNoScriptOfAPackageRuns(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	canary := filepath.Join(t.TempDir(), "canary")
	scripts := map[string]any{}
	for _, event := range []string{"preinstall", "install", "postinstall", "prepare", "prepublish"} {
		scripts[event] = "touch " + canary
	}
	r.index.PutNPM(t, server("part", "1.0.0", map[string]any{"scripts": scripts}))
	r.index.PutNPM(t, server("@made/greeter", "1.0.0", map[string]any{
		"bin": "index.js", "scripts": scripts, "dependencies": map[string]string{"part": "^1.0.0"},
	}))
	folder, err := r.install(t, "@made/greeter", "1.0.0")
	require.NoError(t, err)
	require.NoFileExists(t, canary)
	in, err := npm.Inspect(folder, "@made/greeter")
	require.NoError(t, err)
	require.Equal(t, "node_modules/@made/greeter/index.js", in.Entry)
	require.Equal(t, []string{"@made/greeter@1.0.0", "part@1.0.0"}, in.Scripts)
	require.FileExists(t, filepath.Join(folder, "node_modules", "part", "index.js"))
}

func TestLatestIsOldEnough(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	now := time.Now()
	for version, age := range map[string]time.Duration{
		"1.0.0": 300 * time.Hour, "1.1.0": 100 * time.Hour, "1.2.0-rc.1": 90 * time.Hour, "0.9.1": 50 * time.Hour, "1.2.0": time.Hour,
	} {
		p := server("greeter", version, nil)
		p.Published = now.Add(-age)
		r.index.PutNPM(t, p)
	}
	for _, tt := range []struct {
		age  time.Duration
		want string
	}{{0, "1.2.0"}, {2 * time.Hour, "1.1.0"}, {60 * time.Hour, "1.1.0"}, {200 * time.Hour, "1.0.0"}} {
		release, err := r.Latest(t.Context(), r.home, "greeter", now.Add(-tt.age))
		require.NoError(t, err)
		require.Equal(t, tt.want, release.Version, tt.age)
		require.WithinDuration(t, now, release.Published, 301*time.Hour)
	}
	_, err := r.Latest(t.Context(), r.home, "greeter", now.Add(-400*time.Hour))
	require.True(t, fault.Is(err, fault.Invalid))
	exact, err := r.Exact(t.Context(), r.home, "greeter", "1.2.0")
	require.NoError(t, err)
	require.Equal(t, "1.2.0", exact.Version, "an exact version may be younger")
}

func TestWhatTheRegistryRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.index.PutNPM(t, server("greeter", "1.0.0", nil))
	r.index.PutNPM(t, server("forged", "1.0.0", nil))
	r.index.Replace("forged", "1.0.0", []byte("something else"))
	r.index.PutNPM(t, server("by-git", "1.0.0", map[string]any{"dependencies": map[string]string{"x": "git+https://127.0.0.1:1/x.git"}}))
	r.index.PutNPM(t, server("by-url", "1.0.0", map[string]any{"dependencies": map[string]string{"x": r.index.Tarball("greeter", "1.0.0")}}))
	r.index.PutNPM(t, server("by-file", "1.0.0", map[string]any{"dependencies": map[string]string{"x": "file:/etc"}}))
	_, err := r.Exact(t.Context(), r.home, "nobody-has-it", "1.0.0")
	require.True(t, fault.Is(err, fault.Invalid), err)
	_, err = r.Exact(t.Context(), r.home, "greeter", "2.0.0")
	require.True(t, fault.Is(err, fault.Invalid), err)
	for _, name := range []string{"forged", "by-git", "by-url", "by-file"} {
		folder, err := r.install(t, name, "1.0.0")
		if err == nil {
			_, err = npm.Inspect(folder, name)
		}
		require.Error(t, err, name)
		require.NotContains(t, fault.Text(err), "127.0.0.1", name)
		require.NotEqual(t, "internal error", fault.Text(err), name)
	}
}

func TestProgramOfAPackage(t *testing.T) {
	t.Parallel()
	files := map[string]string{"index.js": "1", "other.js": "2"}
	for name, tt := range map[string]struct {
		bin  any
		want string // of the entry, or of the error
	}{
		"text":                {"index.js", "node_modules/@made/greeter/index.js"},
		"one":                 {map[string]any{"anything": "./other.js"}, "node_modules/@made/greeter/other.js"},
		"the package's name":  {map[string]any{"a": "index.js", "greeter": "other.js"}, "node_modules/@made/greeter/other.js"},
		"two names for one":   {map[string]any{"a": "index.js", "b": "index.js"}, "node_modules/@made/greeter/index.js"},
		"several":             {map[string]any{"b": "index.js", "a": "other.js"}, "a, b"},
		"none":                {nil, "no program"},
		"of another package":  {"../../other/index.js", "outside"},
		"outside":             {"../../../../../etc/passwd", "outside"},
		"not there":           {"gone.js", "not in it"},
		"a folder":            {".", "outside"},
		"something different": {42, "no program"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			manifest := map[string]any{}
			if tt.bin != nil {
				manifest["bin"] = tt.bin
			}
			// npm mends a manifest that it is given; the registry's word is not the package's.
			r.index.PutNPM(t, index.NPM{Name: "@made/greeter", Version: "1.0.0", Files: files})
			folder, err := r.install(t, "@made/greeter", "1.0.0")
			require.NoError(t, err)
			put(t, filepath.Join(folder, "node_modules/@made/greeter/package.json"), manifest)
			in, err := npm.Inspect(folder, "@made/greeter")
			if err != nil {
				require.True(t, fault.Is(err, fault.Invalid), err)
				require.Contains(t, fault.Text(err), tt.want)
				return
			}
			require.Equal(t, tt.want, in.Entry)
		})
	}
}

func TestTarballsReachNowhere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	outside := filepath.Join(t.TempDir(), "outside")
	p := server("greeter", "1.0.0", map[string]any{"bin": "index.js"})
	p.Files["../../../../../../../.."+outside] = "x"
	p.Files["..\\..\\up.txt"] = "x"
	p.Links = map[string]string{"passwd": "/etc/passwd", "up": "../../.."}
	r.index.PutNPM(t, p)
	folder, err := r.install(t, "greeter", "1.0.0")
	require.NoFileExists(t, outside)
	if err != nil {
		return // npm refuses it altogether: as well
	}
	require.NoFileExists(t, filepath.Join(folder, "node_modules/greeter/passwd"))
	require.NoFileExists(t, filepath.Join(folder, "node_modules/greeter/up"))
}

func TestEngines(t *testing.T) {
	t.Parallel()
	for wanted, ok := range map[string]bool{
		"": true, ">=18": true, "^18 || >=20": true, "20.x": true, ">=20.19 <23": true, ">=99": false, "^18": false, "18.x || 22.x": false, "nonsense!": true,
	} {
		err := npm.CheckEngine("greeter 1.0.0", wanted, "20.20.2")
		require.Equal(t, ok, err == nil, wanted)
		if err != nil {
			require.Equal(t, "greeter 1.0.0 needs Node.js "+wanted+"; this server has 20.20.2", fault.Text(err))
		}
	}
	version, err := newRig(t).Version(t.Context())
	require.NoError(t, err)
	require.Regexp(t, `^\d+\.\d+\.\d+$`, version)
}
