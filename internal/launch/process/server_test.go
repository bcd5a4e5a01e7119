package process

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func TestWhatARegisteredServerMayHave(t *testing.T) {
	t.Parallel()
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	at := func(parts ...string) string { return filepath.Join(append([]string{root}, parts...)...) }
	for _, file := range []string{
		"data/keys.env", "data/outbox/.keep", "data/packages/memory/1.0.0-x/node_modules/memory/index.js", "data/packages/other/1.0.0-y/a.js", "data/packages/clock/1.0.0-z/bin/python",
		"work/notes.txt", "app/package.json", "app/dist/index.js", "lone/script.py", "mods/node_modules/a/node_modules/b/index.js",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(at(file)), 0o755))
		require.NoError(t, os.WriteFile(at(file), nil, 0o755))
	}
	require.NoError(t, os.Symlink(at("data"), at("innocent")))
	packaged := at("data/packages/memory/1.0.0-x/node_modules/memory/index.js")
	for name, tt := range map[string]struct {
		command     string
		named       []string
		read, write []string
		stays       bool
	}{
		"nothing named":        {command: "sh"},
		"a folder":             {command: "sh", named: []string{at("work")}, write: []string{at("work")}},
		"a flag":               {command: "sh", named: []string{"--root=" + at("work"), "-v"}, write: []string{at("work")}},
		"below our data":       {command: "sh", named: []string{"--outbox", at("data/outbox")}, write: []string{at("data/outbox")}},
		"our data":             {command: "sh", named: []string{at("data")}},
		"what holds it":        {command: "sh", named: []string{root, "/", at("work/..")}},
		"a link to it":         {command: "sh", named: []string{at("innocent")}},
		"relative":             {command: "sh", named: []string{"../../..", "."}},
		"not there":            {command: "sh", named: []string{at("gone")}},
		"a script":             {command: "sh", named: []string{at("lone/script.py")}, read: []string{at("lone")}},
		"a file of ours":       {command: "sh", named: []string{at("data/keys.env"), at("innocent/keys.env")}},
		"all packages":         {command: "sh", named: []string{at("data/packages"), at("data/servers")}},
		"a setting":            {command: "sh", named: []string{"/etc/hosts"}, read: []string{"/etc/hosts"}},
		"a project":            {command: "sh", named: []string{at("app/dist/index.js")}, read: []string{at("app")}},
		"a program of one":     {command: at("app/dist/index.js"), read: []string{at("app")}},
		"modules":              {command: "sh", named: []string{at("mods/node_modules/a/node_modules/b/index.js")}, read: []string{at("mods/node_modules")}},
		"an installed package": {command: "sh", named: []string{packaged}, read: []string{at("data/packages/memory/1.0.0-x")}, stays: true},
		"installed Python":     {command: at("data/packages/clock/1.0.0-z/bin/python"), named: []string{"-m", "clock"}, read: []string{at("data/packages/clock/1.0.0-z")}, stays: true},
	} {
		r := Registered{Identity: Identity{Server: 3, Owner: "ann"}, Command: tt.command, Named: tt.named, Data: at("data"), Packages: at("data/packages")}
		box, dir, err := r.Child()
		require.NoError(t, err, name)
		want := &Sandbox{Read: tt.read, Write: tt.write, Connect: true, Identity: r.Identity}
		require.Empty(t, cmp.Diff(want, box), name)
		require.Equal(t, tt.stays, dir != "", name)
		if tt.stays {
			require.DirExists(t, dir)
			require.Equal(t, StateFolder(at("data"), 3), filepath.Dir(dir))
			r.Identity.Owner = "bob"
			_, theirs, err := r.Child()
			require.NoError(t, err)
			require.NotEqual(t, dir, theirs)
		}
	}
}

func TestIdentitiesAreApart(t *testing.T) {
	t.Parallel()
	seen := map[uint32]bool{}
	for server := range int64(2000) {
		id := Identity{Server: server, Owner: "ann"}.user()
		require.False(t, seen[id], "server %d", server)
		seen[id] = true
		require.GreaterOrEqual(t, id, uint32(firstUser))
		require.Less(t, id, uint32(firstUser+userCount))
	}
	require.NotEqual(t, Identity{Server: 1, Owner: "ann"}.user(), Identity{Server: 1, Owner: "bob"}.user())
}
