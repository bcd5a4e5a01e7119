package install

import (
	"context"

	"steward/internal/auth"
	"steward/internal/idempotency"
	"steward/internal/registry"
	"steward/internal/registry/manifest"
)

// Import accepts the package of a server.json, as Install does. What starts a Python package is then the program that
// has its name: a server.json names no module.
func (s *Service) Import(ctx context.Context, p auth.Principal, pkg registry.Package, once idempotency.Once) (Change, error) {
	r := Request{
		Name: pkg.Name, Version: pkg.Version, ServerName: pkg.Server.Name, Runtime: Node, Args: pkg.Args, Env: pkg.Server.Env, Enabled: !pkg.Server.Disabled,
		Once: once,
		About: About{
			Title: pkg.Server.Title, Description: pkg.Server.Description, WebsiteURL: pkg.Server.WebsiteURL, EnvSchema: pkg.Server.EnvSchema,
			Manifest: pkg.Server.Manifest,
		},
	}
	if pkg.Registry == manifest.PyPI {
		r.Runtime, r.PythonModule = Python, pkg.Name
	}
	return s.Install(ctx, p, r)
}
