package process

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// stage is where the new root lies until it becomes the root: a folder that is there since ownProc.
const stage = "/proc"

// scratch is the size of /tmp and of /dev/shm, in bytes of memory. Programs are told to use their own folder.
const scratch = 64 << 20

// ownRoot gives the child a file system in which nothing exists but what it may have, /tmp and /dev/shm in memory,
// and a /proc of its own processes. What it is given lies where it lies for everybody; folders above hold nothing
// else, and their owners' permissions do not matter.
func (w *wrapper) ownRoot() error {
	unix.Umask(0o022) // the child must get through what is made here
	if err := ownProc(); err != nil {
		return err
	}
	c := &collection{lender: lender{user: w.User}}
	if err := w.collect(c); err != nil { // before the new root lies over it
		return err
	}
	for target, mode := range map[string]string{"/": "0755", "/tmp": "1777", "/dev/shm": "1777"} {
		if c.has(target) { // an admin has named it
			continue
		}
		fd, err := newMount("tmpfs", mode, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
		if err != nil {
			return err
		}
		c.mounts = append(c.mounts, mount{target, fd, true})
	}
	slices.SortFunc(c.mounts, func(a, b mount) int { return strings.Compare(a.target, b.target) }) // outer ones first
	if err := enter(c.mounts); err != nil {
		_ = unix.Unmount(stage, unix.MNT_DETACH) // what stood there before serves
		return err
	}
	w.rooted = true
	if w.stay == nil {
		w.stay = c.failed
	}
	return w.furnish(c.links)
}

// enter puts the mounts in their places below the first, which becomes the root.
func enter(mounts []mount) error {
	for i, m := range mounts {
		at := filepath.Join(stage, m.target)
		if i > 0 {
			if err := place(at, m.folder); err != nil {
				return err
			}
		}
		if err := unix.MoveMount(m.fd, "", unix.AT_FDCWD, at, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return fmt.Errorf("placing a mount: %w", err)
		}
	}
	if err := unix.Chdir(stage); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil { // the old root comes to lie over the new: pivot_root(2), "Notes"
		return err
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return err
	}
	return unix.Chdir("/")
}

// place makes what a mount can lie on.
func place(target string, folder bool) error {
	if _, err := os.Lstat(target); err == nil {
		return nil
	}
	dir := target
	if !folder {
		dir = filepath.Dir(target)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil || folder { //nolint:gosec // the child must get through
		return err
	}
	return os.WriteFile(target, nil, 0o644) //nolint:gosec // an empty one, to mount on
}

// ownProc puts a /proc of the child's own processes in the place of everybody's.
func ownProc() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	fd, err := newMount("proc", "", unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.MoveMount(fd, "", unix.AT_FDCWD, "/proc", unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// newMount makes a file system, detached; mode is of a tmpfs' own folder.
func newMount(kind, mode string, attr int) (int, error) {
	fs, err := unix.Fsopen(kind, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer func() { _ = unix.Close(fs) }()
	if mode != "" {
		if err := unix.FsconfigSetString(fs, "mode", mode); err != nil {
			return -1, err
		}
		if err := unix.FsconfigSetString(fs, "size", fmt.Sprint(scratch)); err != nil {
			return -1, err
		}
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, attr)
}
