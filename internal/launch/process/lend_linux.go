package process

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// lender lends folders to the child's user: inside the child's view what belongs to a folder's owner belongs to the
// child's user (mount_setattr(2), "ID-mapped mounts"). Nothing changes on the disk, and what the child makes there
// belongs to the owner.
type lender struct {
	user   uint32 // 0: nothing needs to be lent
	maps   map[[2]uint32]int
	failed error // why the first folder that could not be lent was not
}

// to lends the detached mount fd. The child either has all of its folders as their owners, or stays who we are.
func (l *lender) to(fd int, stat unix.Stat_t) {
	if l.user == 0 || stat.Uid == l.user || l.failed != nil {
		return
	}
	users, err := l.mapping([2]uint32{stat.Uid, stat.Gid})
	if err != nil {
		l.failed = err
		return
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(users)} //nolint:gosec // a descriptor
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		l.failed = fmt.Errorf("the file system of a folder cannot lend its files: %w", err)
	}
}

// mapping is a user namespace that maps the owner to the child's user. A namespace exists as long as a process in it
// or a descriptor of it.
func (l *lender) mapping(owner [2]uint32) (int, error) {
	if fd, ok := l.maps[owner]; ok {
		return fd, nil
	}
	in, out, err := os.Pipe()
	if err != nil {
		return -1, err
	}
	defer closeAll([]*os.File{in, out})
	one := func(id uint32) []syscall.SysProcIDMap {
		return []syscall.SysProcIDMap{{ContainerID: int(id), HostID: int(l.user), Size: 1}}
	}
	pid, err := syscall.ForkExec(self, []string{idleName}, &syscall.ProcAttr{ //nolint:gosec // this very program
		Files: []uintptr{in.Fd()}, // it ends, at the latest, when the pipe does
		Sys:   &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER, UidMappings: one(owner[0]), GidMappings: one(owner[1])},
	})
	if err != nil {
		return -1, err
	}
	fd, err := unix.Open(fmt.Sprintf("/proc/%d/ns/user", pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	_ = syscall.Kill(pid, syscall.SIGKILL)
	if _, reaped := syscall.Wait4(pid, nil, 0, nil); err == nil {
		err = reaped
	}
	if err == nil {
		if l.maps == nil {
			l.maps = map[[2]uint32]int{}
		}
		l.maps[owner] = fd
	}
	return fd, err
}
