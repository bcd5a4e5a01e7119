package npm_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
	"steward/internal/install/npm"
)

func put(t *testing.T, file string, value any) {
	t.Helper()
	doc, err := json.Marshal(value)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, doc, 0o600))
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"greeter", "@made/greeter", "a", "server-memory", "lodash.get", "~x", "@a.b/c_d", "0x"} {
		require.NoError(t, npm.CheckName("body.name", name), name)
	}
	for _, name := range []string{
		"", "-g", "--registry=http://evil", "@made/-g", "@-made/g", "@made/--prefix", ".", "..", "../x", "./x", "/etc", "~/x", "file:x", "file:///etc",
		"git+https://x/y", "git://x/y", "github:x/y", "x/y", "https://x/y.tgz", "http://x", "npm:greeter", "alias@npm:greeter", "greeter@1.0.0",
		"@made/greeter@latest", "greeter@^1", "*", "a b", "a;id", "a|id", "$(id)", "`id`", "a\nb", "a\x00b", "A", "Greeter", "@made", "@made/", "@/x",
		"@a/b/c", "@made%2Fgreeter", "node_modules", "favicon.ico", "ünï", "a\\b", "C:\\x", "_x", "a#b", "a?b", "a&b", "a'b", "a\"b", "a>b", "a\u202eb",
		strings.Repeat("a", 215),
	} {
		require.True(t, fault.Is(npm.CheckName("body.name", name), fault.Invalid), "%q", name)
	}
	for _, version := range []string{"1.0.0", "2026.8.31", "1.0.0-rc.1", "0.0.1+build"} {
		require.NoError(t, npm.CheckVersion("body.version", version), version)
	}
	for _, version := range []string{
		"", "latest", "1", "1.0", "v1.0.0", "^1.0.0", "~1.0.0", ">=1.0.0", "1.x", "*", "1.0.0 || 2.0.0", "1.0.0 - 2.0.0", "-1.0.0",
		"=1.0.0", "1.0.0;id", "1.0.0\n", "file:x", "../1.0.0", "1.0.0/../..", "git+https://x", strings.Repeat("1", 200) + ".0.0",
	} {
		require.True(t, fault.Is(npm.CheckVersion("body.version", version), fault.Invalid), "%q", version)
	}
}

func FuzzNames(f *testing.F) {
	for _, seed := range []string{"@made/greeter", "--x", "a@npm:b", "..", "a/b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if npm.CheckName("", name) != nil {
			return
		}
		require.False(t, strings.HasPrefix(name, "-") || strings.HasPrefix(name, "."))
		require.NotContains(t, name, "..", "which is a folder")
		require.False(t, strings.ContainsAny(name, " :\\\"'$;|&<>#?%*\n\x00"))
		require.LessOrEqual(t, strings.Count(name, "/"), 1)
	})
}
