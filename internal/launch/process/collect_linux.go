package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// mount is one piece of the child's file system, detached.
type mount struct {
	target string // absolute
	fd     int
	folder bool
}

// link is a symbolic one.
type link struct{ path, target string }

// collection is everything that the child's file system is made of.
type collection struct {
	lender

	mounts []mount
	links  []link
}

// collect takes up what the child may have. What is not there, or closed to us, is left out. A link stays one, and
// what it leads to is taken up where that lies: a mount on a link would lie on its end.
func (w *wrapper) collect(c *collection) error {
	const (
		tame = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV
		read = tame | unix.MOUNT_ATTR_RDONLY
	)
	for _, set := range []struct {
		paths []string
		attr  uint64
		lend  bool
	}{
		{w.Write, tame, true},
		{w.Read, read, true},
		{system(), read, false},
		{devices(), unix.MOUNT_ATTR_NOSUID, false},
		{[]string{"/proc"}, tame | unix.MOUNT_ATTR_NOEXEC, false},
	} {
		for _, path := range set.paths {
			if target, err := os.Readlink(path); err == nil { // such as /bin, or the python of a virtual environment
				c.links = append(c.links, link{path, target})
				if path, err = filepath.EvalSymlinks(path); err != nil || !set.lend {
					continue
				}
			}
			if err := c.take(path, set.attr, set.lend); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *collection) has(target string) bool {
	return slices.ContainsFunc(c.mounts, func(m mount) bool { return m.target == target })
}

// take makes a detached copy of what is mounted below path.
func (c *collection) take(path string, attr uint64, lend bool) error {
	path = filepath.Clean(path)
	if path == "/" || !filepath.IsAbs(path) || c.has(path) {
		return nil
	}
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.EACCES) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("taking up a folder: %w", err)
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &unix.MountAttr{Attr_set: attr}); err != nil {
		return fmt.Errorf("protecting a folder: %w", err)
	}
	if lend {
		c.to(fd, stat)
	}
	c.mounts = append(c.mounts, mount{path, fd, stat.Mode&unix.S_IFMT == unix.S_IFDIR})
	return nil
}

// devices are all that the child gets.
func devices() []string {
	return []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
}
