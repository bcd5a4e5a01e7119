package registry

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"steward/internal/fault"
	"steward/internal/registry/input"
	"steward/internal/registry/manifest"
	"steward/internal/secret"
)

// Import is a server.json that somebody wants to have here.
type Import struct {
	Manifest json.RawMessage
	Name     string          // the server's here; empty: the part of the manifest's behind the slash
	Values   manifest.Values // of variables and inputs that are not secret
	// Package says that the package is meant where there is a remote too: code that runs here instead of elsewhere.
	Package  bool
	Disabled bool
}

// Package is what has to be installed for an import.
type Package struct {
	Server   Server // as far as it is known before: name, texts, inputs, environment, Manifest
	Registry string // manifest.NPM or manifest.PyPI
	Name     string
	Version  string // exact
	Args     []string
}

// Read says what an import asks for: a server at an address, or a package. One of them is nil. The error is an
// Invalid fault.
func (in *Import) Read() (*Server, *Package, error) {
	m, err := manifest.Parse("body.server", in.Manifest)
	if err != nil {
		return nil, nil, err
	}
	s := Server{
		Name: in.Name, Title: m.Title, Description: m.Description, WebsiteURL: m.WebsiteURL, Release: m.Version, Disabled: in.Disabled,
		Manifest: in.Manifest,
	}
	if s.Name == "" {
		s.Name = m.ShortName()
	}
	unused := manifest.Unused(in.Values)
	remote, pkg := m.Remote(), m.Package()
	var asks *Package
	switch {
	case remote != nil && !in.Package:
		err = s.reach(remote, in.Values, unused)
	case pkg != nil:
		asks, err = s.run(pkg, in.Values, unused)
	case len(m.Packages) > 0:
		err = fault.InvalidField("body.server.packages", "only npm and pypi packages over stdio can be installed, not %s", strings.Join(m.Kinds(), ", "))
	default:
		err = fault.InvalidField("body.server.remotes", "only streamable-http and sse can be reached")
	}
	if err != nil {
		return nil, nil, err
	}
	if len(unused) > 0 {
		return nil, nil, fault.InvalidField("body.values", "nothing asks for %s", strings.Join(shortened(slices.Sorted(maps.Keys(unused))), ", "))
	}
	if asks != nil {
		return nil, asks, nil
	}
	return &s, nil, nil
}

func (s *Server) reach(r *manifest.Remote, values manifest.Values, unused map[string]bool) (err error) {
	s.Transport = transportHTTP
	if s.URL, err = r.Address(values, unused); err != nil {
		return err
	}
	s.HeaderSchema, err = manifest.Fixed("body", r.Headers, values, unused)
	return err
}

func (s *Server) run(p *manifest.Package, values manifest.Values, unused map[string]bool) (*Package, error) {
	s.Transport = transportStdio
	if !manifest.Exact(p.Version) {
		return nil, fault.InvalidField("body.server.packages", "the package's version must be exact")
	}
	argv, err := p.Command(values, unused)
	if err != nil {
		return nil, err
	}
	if s.EnvSchema, err = manifest.Fixed("body", p.Environment, values, unused); err != nil {
		return nil, err
	}
	var wrong complaints = input.Check("body.server.packages[0].environmentVariables", s.EnvSchema, checkEnvName)
	if why := checkName(s.Name); why != "" {
		wrong.say("body.name", "%s", why)
	}
	s.Env = map[string]secret.String{}
	return &Package{Server: *s, Registry: p.Registry, Name: p.Identifier, Version: p.Version, Args: argv}, wrong.fault()
}

// shortened bounds names that a caller has chosen.
func shortened(names []string) []string {
	for i, n := range names {
		if len(n) > 64 {
			names[i] = n[:64]
		}
	}
	return names
}
