// Package prefix seals the folder of an installed package: a digest over every file in it, which is compared
// again before anything in it runs.
package prefix

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"steward/internal/fault"
)

// Faults of a folder from which nothing may be run. People may read them.
var (
	// ErrForeign is a folder with something in it that no package needs: a link that leads outside, a device.
	ErrForeign = fault.New(fault.Upstream, "the package holds a link that leads outside its folder, or something that is no file").
			WithCode("package_foreign")
	// ErrChanged is a folder that is not as it was when it was sealed.
	ErrChanged = fault.New(fault.Upstream, "the package's files are not as they were installed: it is not started; upgrade it or install it again").
			WithCode("package_changed")
)

// algorithm stands in front of a digest, as in Subresource Integrity.
const algorithm = "sha256-"

// Digest is a digest over the names, permissions and contents of everything below folder, and over the targets
// of its links. It fails with ErrForeign where a link leads out of the folder, but for the interpreter of a
// Python virtual environment, and where something is neither file nor folder nor link.
func Digest(ctx context.Context, folder string) (string, error) {
	digest, _, err := seal(ctx, folder)
	return digest, err
}

// seal is Digest with the state of every entry just before it was read.
func seal(ctx context.Context, folder string) (digest string, seen states, err error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return "", nil, fmt.Errorf("open package folder: %w", err)
	}
	defer func() { _ = root.Close() }()
	all := sha256.New()
	seen = states{}
	err = walk(ctx, root, func(name string, info fs.FileInfo) error {
		content, err := describe(root, name, info)
		if err != nil {
			return err
		}
		seen[name] = stateOf(info)
		// No name or target holds a NUL, so that no two folders are written the same.
		_, err = io.WriteString(all, strings.Join([]string{name, info.Mode().String(), content}, "\x00")+"\x00\n")
		return err
	})
	if err != nil {
		return "", nil, err
	}
	return algorithm + base64.StdEncoding.EncodeToString(all.Sum(nil)), seen, nil
}

// walk visits everything below root in a fixed order.
func walk(ctx context.Context, root *os.Root, visit func(name string, info fs.FileInfo) error) error {
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("walk package folder: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return fmt.Errorf("walk package folder: %w", err)
		}
		return visit(name, info)
	})
}

// describe is what of an entry goes into the digest beside its name and mode.
func describe(root *os.Root, name string, info fs.FileInfo) (string, error) {
	switch info.Mode().Type() {
	case fs.ModeDir:
		return "", nil
	case fs.ModeSymlink:
		return link(root, name)
	case 0:
		return content(root, name)
	}
	return "", fmt.Errorf("%q: %w", name, ErrForeign)
}

// link reads a link's target and follows it: os.Root does not let it lead outside.
func link(root *os.Root, name string) (string, error) {
	target, err := root.Readlink(name)
	if err != nil {
		return "", fmt.Errorf("read link: %w", err)
	}
	if _, err := root.Stat(name); err != nil && !isInterpreter(root, name) {
		return "", fmt.Errorf("link %q: %w", name, ErrForeign)
	}
	return target, nil
}

// isInterpreter recognizes the link of a virtual environment to the Python that it was made with (PEP 405).
func isInterpreter(root *os.Root, name string) bool {
	if path.Dir(name) != "bin" || !strings.HasPrefix(path.Base(name), "python") {
		return false
	}
	_, err := root.Lstat("pyvenv.cfg")
	return err == nil
}

func content(root *os.Root, name string) (string, error) {
	file, err := root.Open(name)
	if err != nil {
		return "", fmt.Errorf("read package file: %w", err)
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	if err != nil {
		return "", fmt.Errorf("read package file: %w", err)
	}
	return strconv.FormatInt(size, 10) + " " + string(sum.Sum(nil)), nil
}
