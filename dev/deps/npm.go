package main

import (
	"context"
	"path/filepath"
)

// npmTools are those of dir's package-lock.json. No package runs anything of its own: see .npmrc.
func npmTools(dir string) locked {
	return locked{
		lock: filepath.Join(dir, "package-lock.json"), installed: filepath.Join(dir, "node_modules", ".installed"),
		install: func(ctx context.Context) error {
			return command(ctx, dir, "npm", "ci", "--ignore-scripts", "--loglevel=error")
		},
	}
}
