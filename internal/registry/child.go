package registry

import (
	"context"
	"slices"

	"steward/internal/launch/process"
	"steward/internal/mcpclient"
	"steward/internal/secret"
)

// child is how a server runs as our child: with the program, the arguments and the variables that an admin wrote, in a
// sandbox that holds what these name, and lent, and nothing else of the machine; env adds what its user has stored.
// What that is on the disk is found out before a start alone: each call brings a target, and looking costs as much as
// the call.
func (r *Registry) child(k mcpclient.Key, command string, args []string, saved, env map[string]secret.String, lent ...string) *mcpclient.Stdio {
	child := &mcpclient.Stdio{Command: command, Args: args, Env: env}
	child.Before = func(ctx context.Context) error {
		if check := r.opts.Installed; check != nil {
			if err := check(ctx, k.Server); err != nil {
				return err
			}
		}
		named := slices.Clone(args)
		for _, value := range saved {
			named = append(named, value.Reveal()) // looked at, in case it names a folder
		}
		box, dir, err := process.Registered{
			Identity: process.Identity{Owner: k.Owner, Server: k.Server}, Command: command, Named: named,
			Packages: r.opts.Packages, Data: r.opts.Data, Reach: r.exits.Of(k.Owner).Reaches,
		}.Child()
		if err != nil {
			return err
		}
		box.Read = append(box.Read, lent...)
		child.Sandbox, child.Dir = box, dir
		return nil
	}
	return child
}
