package manifest

import (
	"fmt"

	"steward/internal/fault"
	"steward/internal/registry/input"
	"steward/internal/secret"
)

// Kinds of packages that can be installed.
const (
	NPM  = "npm"
	PyPI = "pypi"
)

// Package picks the package to install: the first that is of npm or PyPI and talked to over stdio. Nil: there is none.
func (m *Manifest) Package() *Package {
	for i, p := range m.Packages {
		if (p.Registry == NPM || p.Registry == PyPI) && p.Transport.Type == "stdio" {
			return &m.Packages[i]
		}
	}
	return nil
}

// Kinds names what the packages are, for people.
func (m *Manifest) Kinds() []string {
	var kinds []string
	for _, p := range m.Packages {
		kinds = append(kinds, fmt.Sprintf("%s over %s", short(p.Registry), short(p.Transport.Type)))
	}
	return kinds
}

func short(word string) string {
	if len(word) > 32 {
		return word[:32]
	}
	return word
}

// Command is the package's arguments with the values in their places. Each value stays one argument, and none can be
// taken for an option (security.md T-02).
func (p *Package) Command(values Values, unknown map[string]bool) ([]string, error) {
	if len(p.Runtime) > 0 {
		return nil, fault.InvalidField("body.server.packages", "options of the runtime are not taken: they decide what is run")
	}
	var argv []string
	for i, a := range p.Arguments {
		at := fmt.Sprintf("body.server.packages[0].packageArguments[%d]", i)
		value, err := a.value(at, values, unknown)
		if err != nil {
			return nil, err
		}
		if a.Type == "named" && (value != "" || a.Value == "" && a.Default == "" && a.Hint == "") {
			argv = append(argv, a.Name)
		}
		if value != "" {
			argv = append(argv, value)
		}
	}
	return argv, nil
}

// value is what stands for the argument; empty: it is left out.
func (a *Argument) value(at string, values Values, unknown map[string]bool) (string, error) {
	switch {
	case a.Secret:
		return "", fault.InvalidField(at, "is a secret, and arguments are seen by every user of the machine: let it be an environment variable")
	case a.Type != "positional" && a.Type != "named", a.Type == "named" && a.Name == "":
		return "", fault.InvalidField(at, "is neither positional nor named")
	case a.Value == "":
		name := a.Name
		if a.Type == "positional" {
			name = a.Hint
		}
		v, err := known("body", name, a.Input, values, unknown)
		if err != nil {
			return "", err
		}
		if why := v.FitsArgument(v.Default); v.Default != "" && why != "" {
			return "", fault.InvalidField("body.values."+name, "%s", why)
		}
		return v.Default, nil
	}
	said := map[string]secret.String{}
	for name, v := range a.Variables {
		v, err := known("body", name, v, values, unknown)
		if err != nil {
			return "", err
		}
		if why := v.FitsArgument(v.Default); v.Default != "" && why != "" {
			return "", fault.InvalidField("body.values."+name, "%s", why)
		}
		said[name] = secret.New(v.Default)
	}
	value, err := input.Expand(a.Value, said)
	if err != nil {
		return "", fault.InvalidField(at, "names a variable that has no value")
	}
	return value.Reveal(), nil
}
