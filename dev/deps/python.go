package main

import (
	"context"
	"path/filepath"
)

// pythonTools are those of dir's requirements.txt, in an environment of their own. Wheels alone: nothing runs at
// install time.
func pythonTools(dir string) locked {
	venv := filepath.Join(dir, "venv")
	return locked{
		lock: filepath.Join(dir, "requirements.txt"), installed: filepath.Join(venv, ".installed"),
		install: func(ctx context.Context) error {
			if err := command(ctx, dir, "python3", "-m", "venv", "--clear", "venv"); err != nil {
				return err
			}
			return command(ctx, dir, filepath.Join("venv", "bin", "pip"), "install", "--quiet", "--disable-pip-version-check",
				"--no-deps", "--only-binary", ":all:", "--requirement", "requirements.txt")
		},
	}
}
