package registry_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/internal/fault"
	"steward/internal/registry"
	"steward/internal/registry/manifest"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	before := `{"name":"x","description":"a","inputSchema":{"properties":{"to/who":{"type":"string"},"n":{"const":1}},"required":["n"]},"old":null}`
	after := `{"name":"x","description":"b","inputSchema":{"properties":{"to/who":{"type":"number"},"n":{"const":1.0}},"required":["n","m"]},"new":true}`
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	want := []registry.Difference{
		{Path: "/description", Old: raw(`"a"`), New: raw(`"b"`)},
		{Path: "/inputSchema/properties/n/const", Old: raw("1"), New: raw("1.0")},
		{Path: "/inputSchema/properties/to~1who/type", Old: raw(`"string"`), New: raw(`"number"`)},
		{Path: "/inputSchema/required", Old: raw(`["n"]`), New: raw(`["n","m"]`)},
		{Path: "/new", New: raw("true")},
		{Path: "/old", Old: raw("null")},
	}
	require.Empty(t, cmp.Diff(want, registry.Compare(raw(before), raw(after))))
	require.Empty(t, registry.Compare(raw(before), raw(" "+before)))
	many := map[string]int{}
	for i := range 1000 {
		many[fmt.Sprint(i)] = i
	}
	doc, err := json.Marshal(many)
	require.NoError(t, err)
	require.Len(t, registry.Compare(raw("{}"), doc), 100)
}

func FuzzCompare(f *testing.F) {
	f.Add(`{"a":[1,{"b":2}]}`, `{"a":[1,{"b":3}]}`)
	f.Fuzz(func(t *testing.T, before, after string) {
		a, errA := registry.Pin(json.RawMessage(before))
		b, errB := registry.Pin(json.RawMessage(after))
		if errA != nil || errB != nil {
			return
		}
		found := registry.Compare(json.RawMessage(before), json.RawMessage(after))
		require.Equal(t, a == b, len(found) == 0, "another pin shows, and nothing else does")
	})
}

func TestImportsAreRead(t *testing.T) {
	t.Parallel()
	const remote = `{"name":"com.example/weather","title":"Weather","description":"Of everywhere","version":"1.0.2","remotes":[{"type":"streamable-http",
		"url":"https://example.com/mcp","headers":[{"name":"X-API-Key","isRequired":true,"isSecret":true},{"name":"X-Region","isRequired":true}]}],
		"packages":[{"registryType":"npm","identifier":"weather","version":"1.0.2","transport":{"type":"stdio"},"environmentVariables":[{"name":"KEY","isSecret":true}]}]}`
	in := registry.Import{Manifest: json.RawMessage(remote), Values: manifest.Values{"X-Region": "eu"}}
	s, pkg, err := in.Read()
	require.NoError(t, err)
	require.Nil(t, pkg)
	require.Equal(t, "weather", s.Name)
	require.Equal(t, "http", s.Transport)
	require.Equal(t, "1.0.2", s.Release)
	require.Equal(t, "eu", s.HeaderSchema[1].Default)
	require.JSONEq(t, remote, string(s.Manifest))

	for say, change := range map[string]func(*registry.Import){
		"is a secret":            func(in *registry.Import) { in.Values = manifest.Values{"X-API-Key": "canary", "X-Region": "eu"} },
		"body.values.X-Region":   func(in *registry.Import) { in.Values = nil },
		"nothing asks for other": func(in *registry.Import) { in.Values = manifest.Values{"X-Region": "eu", "other": "canary"} },
		"only npm and pypi packages": func(in *registry.Import) {
			in.Manifest = json.RawMessage(`{"name":"a/b","version":"1","packages":[{"registryType":"oci","identifier":"x"}]}`)
		},
		"only streamable-http": func(in *registry.Import) {
			in.Manifest = json.RawMessage(`{"name":"a/b","version":"1","remotes":[{"type":"ws","url":"wss://x"}]}`)
		},
		"the package's version": func(in *registry.Import) {
			in.Package, in.Values, in.Manifest = true, nil, json.RawMessage(strings.Replace(remote, `"weather","version":"1.0.2"`, `"weather","version":"^1"`, 1))
		},
		"environmentVariables[0].name: i": func(in *registry.Import) {
			in.Package, in.Values, in.Manifest = true, nil, json.RawMessage(strings.Replace(remote, `"KEY"`, `"LD_PRELOAD"`, 1))
		},
	} {
		in := registry.Import{Manifest: json.RawMessage(remote), Values: manifest.Values{"X-Region": "eu"}}
		change(&in)
		_, _, err := in.Read()
		require.True(t, fault.Is(err, fault.Invalid), say)
		require.Contains(t, fault.Text(err), say)
		require.NotContains(t, fault.Text(err), "canary")
	}
	in = registry.Import{Manifest: json.RawMessage(remote), Package: true, Name: "mine"}
	s, pkg, err = in.Read()
	require.NoError(t, err)
	require.Nil(t, s)
	require.Equal(t, "mine", pkg.Server.Name)
	require.Equal(t, manifest.NPM, pkg.Registry)
	require.Equal(t, "weather", pkg.Name)
	require.Equal(t, "KEY", pkg.Server.EnvSchema[0].Name)
}
