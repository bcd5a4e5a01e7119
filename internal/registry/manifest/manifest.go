// Package manifest reads and writes server.json, in which the official MCP registry says what a server is and how it
// is run (schema of 2025-12-11).
package manifest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"steward/internal/fault"
	"steward/internal/registry/input"
)

// Schema is the version that is written.
const Schema = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"

// MaxBytes bounds a document.
const MaxBytes = 256 << 10

// Manifest is a server.json. What it holds beside is kept with the document and not looked at.
type Manifest struct {
	Schema      string    `json:"$schema,omitempty"`
	Name        string    `json:"name"` // reverse DNS, a slash, a name
	Title       string    `json:"title,omitempty"`
	Description string    `json:"description"`
	Version     string    `json:"version"` // exact
	WebsiteURL  string    `json:"websiteUrl,omitempty"`
	Packages    []Package `json:"packages,omitempty"`
	Remotes     []Remote  `json:"remotes,omitempty"`
}

// Remote is a server that somebody else runs.
type Remote struct {
	Type      string                 `json:"type"` // streamable-http or sse
	URL       string                 `json:"url"`  // may hold variables
	Headers   []input.Field          `json:"headers,omitempty"`
	Variables map[string]input.Input `json:"variables,omitempty"`
}

// Package is a server that is downloaded and run.
type Package struct {
	Registry    string        `json:"registryType"` // npm, pypi, oci, nuget, cargo or mcpb
	Identifier  string        `json:"identifier"`
	Version     string        `json:"version,omitempty"`
	RuntimeHint string        `json:"runtimeHint,omitempty"`
	Transport   Transport     `json:"transport"`
	Runtime     []Argument    `json:"runtimeArguments,omitempty"`
	Arguments   []Argument    `json:"packageArguments,omitempty"`
	Environment []input.Field `json:"environmentVariables,omitempty"`
}

// Transport is how a package's server is talked to.
type Transport struct {
	Type string `json:"type"` // stdio, streamable-http or sse
	URL  string `json:"url,omitempty"`
}

// Argument is one of a command's arguments.
type Argument struct {
	Type     string `json:"type"` // positional or named
	Name     string `json:"name,omitempty"`
	Hint     string `json:"valueHint,omitempty"`
	Repeated bool   `json:"isRepeated,omitempty"`
	input.Input
}

var (
	name         = regexp.MustCompile(`^[a-zA-Z0-9.-]{1,150}/[a-zA-Z0-9._-]{1,100}$`)
	exactVersion = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+_-]{0,127}$`)
)

// Parse reads a document. Its errors are Invalid faults with locations below at.
func Parse(at string, doc json.RawMessage) (Manifest, error) {
	var m Manifest
	if len(doc) > MaxBytes {
		return m, fault.InvalidField(at, "is larger than %d KiB", MaxBytes>>10)
	}
	if err := json.Unmarshal(doc, &m); err != nil {
		return m, fault.Wrap(err, fault.Invalid, "%s: is no server.json", at)
	}
	switch {
	case m.Schema != "" && !strings.HasPrefix(m.Schema, "https://static.modelcontextprotocol.io/schemas/"):
		return m, fault.InvalidField(at+".$schema", "is not that of a server.json")
	case !name.MatchString(m.Name):
		return m, fault.InvalidField(at+".name", "must be a name in reverse DNS, a slash and a name")
	case !Exact(m.Version):
		return m, fault.InvalidField(at+".version", "must be an exact version")
	case len(m.Packages) == 0 && len(m.Remotes) == 0:
		return m, fault.InvalidField(at, "says neither where the server is nor how it is run: remotes and packages are empty")
	}
	return m, nil
}

// Exact says that a version names one release: no range, no tag that moves.
func Exact(version string) bool {
	return exactVersion.MatchString(version) && version != "latest" && !strings.HasSuffix(version, ".x") && version != "x"
}

// ShortName is the part of the name behind the slash.
func (m *Manifest) ShortName() string { return m.Name[strings.LastIndexByte(m.Name, '/')+1:] }

// Values are what somebody has said for variables and inputs, by their names.
type Values map[string]string

// Fixed is a schema in which what is known already is the default, so that nobody is asked for it. Values of secrets
// are refused: whoever imports a server is not everybody who uses it. Names that the schema asks for are taken out of
// unknown.
func Fixed(at string, fields []input.Field, values Values, unknown map[string]bool) ([]input.Field, error) {
	out := make([]input.Field, len(fields))
	for i, f := range fields {
		var err error
		if f.Value == "" {
			f.Input, err = known(at, f.Name, f.Input, values, unknown)
		} else {
			variables := map[string]input.Input{}
			for name, v := range f.Variables {
				if variables[name], err = known(at, name, v, values, unknown); err != nil {
					break
				}
			}
			f.Variables = variables
		}
		if err != nil {
			return nil, err
		}
		out[i] = f
	}
	return out, nil
}

func known(at, name string, i input.Input, values Values, unknown map[string]bool) (input.Input, error) {
	value, said := values[name]
	delete(unknown, name)
	where := fmt.Sprintf("%s.values.%s", at, name)
	switch {
	case !said && i.Required && !i.Secret && i.Default == "":
		return i, fault.InvalidField(where, "is required")
	case !said:
		return i, nil
	case i.Secret:
		return i, fault.InvalidField(where, "is a secret: each user stores an own one with POST /secrets/set, when the server is registered")
	case i.Fits(value) != "":
		return i, fault.InvalidField(where, "%s", i.Fits(value))
	}
	i.Default = value
	return i, nil
}
