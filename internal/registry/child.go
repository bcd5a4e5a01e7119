package registry

import (
	"context"
	"slices"

	"steward/internal/egress"
	"steward/internal/launch/process"
	"steward/internal/mcpclient"
	"steward/internal/secret"
)

// child is how a server runs as our child: with the program, the arguments and the variables that an admin wrote, in a
// sandbox that holds what these name and nothing else of the machine; env adds what its user has stored.
func (r *Registry) child(k mcpclient.Key, command string, args []string, saved, env map[string]secret.String) (*mcpclient.Stdio, error) {
	named := slices.Clone(args)
	for _, value := range saved {
		named = append(named, value.Reveal()) // looked at, in case it names a folder
	}
	box, dir, err := process.Registered{
		Identity: process.Identity{Owner: k.Owner, Server: k.Server}, Command: command, Named: named,
		Packages: r.opts.Packages, Data: r.opts.Data, Reach: egress.Judge(r.opts.Allow),
	}.Child()
	if err != nil {
		return nil, err
	}
	child := &mcpclient.Stdio{Command: command, Args: args, Env: env, Dir: dir, Sandbox: box}
	if check := r.opts.Installed; check != nil {
		child.Before = func(ctx context.Context) error { return check(ctx, k.Server) }
	}
	return child, nil
}
