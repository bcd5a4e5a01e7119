package manifest_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
	"steward/internal/registry/manifest"
)

func parse(t *testing.T, doc string) manifest.Manifest {
	t.Helper()
	m, err := manifest.Parse("body.server", json.RawMessage(doc))
	require.NoError(t, err)
	return m
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for at, doc := range map[string]string{
		"body.server.name":    `{"name":"weather","version":"1","remotes":[{}]}`,
		"body.server.version": `{"name":"a/b","version":"latest","remotes":[{}]}`,
		"body.server.$schema": `{"$schema":"https://evil.example/x","name":"a/b","version":"1","remotes":[{}]}`,
		"body.server":         `{"name":"a/b","version":"1"}`,
	} {
		_, err := manifest.Parse("body.server", json.RawMessage(doc))
		var refused *fault.Error
		require.ErrorAs(t, err, &refused, at)
		require.Equal(t, at, refused.Fields[0].Location)
	}
	_, err := manifest.Parse("body.server", json.RawMessage(`[]`))
	require.True(t, fault.Is(err, fault.Invalid))
	for _, version := range []string{"", "latest", "^1.0.0", "~1", ">=1", "1.x", "*", "1 || 2", "1.0.0\n"} {
		require.False(t, manifest.Exact(version), version)
	}
	for _, version := range []string{"1.0.0", "2026.8.31", "1.0.0-rc.1+build", "0.1.0b2"} {
		require.True(t, manifest.Exact(version), version)
	}
}

func TestRemotesArePicked(t *testing.T) {
	t.Parallel()
	m := parse(t, `{"name":"com.example/weather","version":"1","remotes":[{"type":"sse","url":"https://a"},{"type":"streamable-http","url":"https://{region}.example.com/{path}",
		"variables":{"region":{"choices":["eu","us"],"default":"eu"},"path":{"isRequired":true}}}]}`)
	r := m.Remote()
	require.Equal(t, manifest.StreamableHTTP, r.Type)
	unused := manifest.Unused(manifest.Values{"path": "mcp", "other": "x"})
	url, err := r.Address(manifest.Values{"path": "mcp", "other": "x"}, unused)
	require.NoError(t, err)
	require.Equal(t, "https://eu.example.com/mcp", url)
	require.Equal(t, map[string]bool{"other": true}, unused)
	_, err = r.Address(manifest.Values{"path": "mcp", "region": "canary"}, map[string]bool{})
	require.EqualError(t, err, "body.values.region: is none of the choices")
	_, err = r.Address(nil, map[string]bool{})
	require.EqualError(t, err, "body.values.path: is required")
}

func TestPackagesBecomeCommands(t *testing.T) {
	t.Parallel()
	m := parse(t, `{"name":"com.example/weather","version":"1","packages":[{"registryType":"oci","identifier":"x","transport":{"type":"stdio"}},
		{"registryType":"npm","identifier":"@example/weather","version":"1.2.3","transport":{"type":"stdio"},"packageArguments":[
			{"type":"positional","value":"serve"},{"type":"named","name":"--region","default":"eu"},{"type":"positional","valueHint":"folder"},
			{"type":"named","name":"--quiet"},{"type":"named","name":"--limit","value":"{n}","variables":{"n":{"default":"3"}}}]}]}`)
	p := m.Package()
	require.Equal(t, "@example/weather", p.Identifier)
	argv, err := p.Command(manifest.Values{"folder": "/srv/data"}, map[string]bool{})
	require.NoError(t, err)
	require.Equal(t, []string{"serve", "--region", "eu", "/srv/data", "--quiet", "--limit", "3"}, argv)
	for _, smuggled := range []manifest.Values{{"folder": "--eval"}, {"folder": "-c"}, {"n": "--x"}, {"folder": "a\nb"}, {"--region": "-x"}} {
		_, err := p.Command(smuggled, map[string]bool{})
		require.True(t, fault.Is(err, fault.Invalid), "%v", smuggled)
	}
	p.Runtime = []manifest.Argument{{Type: "named", Name: "--node-options"}}
	_, err = p.Command(nil, map[string]bool{})
	require.True(t, fault.Is(err, fault.Invalid))
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"name":"a/b","version":"1","remotes":[{"type":"sse","url":"{x}","variables":{"x":{}}}]}`))
	f.Add([]byte(`{"name":"a/b","version":"1","packages":[{"registryType":"npm","transport":{"type":"stdio"},"packageArguments":[{"type":"positional","value":"{a}{b}"}]}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		m, err := manifest.Parse("x", doc)
		if err != nil {
			require.True(t, fault.Is(err, fault.Invalid))
			return
		}
		if r := m.Remote(); r != nil {
			_, _ = r.Address(nil, map[string]bool{})
		}
		if p := m.Package(); p != nil {
			argv, err := p.Command(nil, map[string]bool{})
			require.True(t, err != nil || len(argv) <= 2*len(p.Arguments))
		}
	})
}
