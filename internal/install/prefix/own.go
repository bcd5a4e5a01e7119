package prefix

import (
	"context"
	"fmt"
	"io/fs"
	"os"
)

// Own makes everything below folder ours, and readable for everybody: package managers fill it as somebody else, who
// must not come back to it, and servers read it as yet another. What is executable stays so for everybody.
func Own(ctx context.Context, folder string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("open package folder: %w", err)
	}
	defer func() { _ = root.Close() }()
	return walk(ctx, root, func(name string, info fs.FileInfo) error {
		if os.Geteuid() == 0 {
			if err := root.Lchown(name, 0, os.Getegid()); err != nil {
				return fmt.Errorf("own package file: %w", err)
			}
		}
		mode := fs.FileMode(0o644)
		switch {
		case info.Mode().Type() == fs.ModeSymlink:
			return nil
		case info.IsDir() || info.Mode()&0o111 != 0:
			mode = 0o755
		}
		if err := root.Chmod(name, mode); err != nil {
			return fmt.Errorf("open package file to readers: %w", err)
		}
		return nil
	})
}
