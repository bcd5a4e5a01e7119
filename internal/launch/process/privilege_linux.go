package process

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// userKnown reports whether the number exists where we are: containers often have 65,536 only.
func userKnown(id uint32) error {
	f, err := os.Open("/proc/self/uid_map")
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var inside, outside, count uint32
		if n, err := fmt.Sscan(lines.Text(), &inside, &outside, &count); n == 3 && err == nil && id >= inside && id-inside < count {
			return nil
		}
	}
	return errors.New("this container has no such user numbers")
}

// becomeUser gives up root for good. The system calls are made bare: Go's own would change all threads, and only
// this one survives execve.
func (w *wrapper) becomeUser() error {
	if w.User == 0 || w.stay != nil { // who is not root cannot change, and was not told to
		return w.stay
	}
	if !w.rooted { // nothing is lent, so its own folders are given to it
		for _, dir := range w.Made {
			if err := os.Lchown(dir, int(w.User), int(w.User)); err != nil {
				return err
			}
		}
	}
	id := uintptr(w.User)
	for _, call := range [][4]uintptr{{unix.SYS_SETGROUPS}, {unix.SYS_SETRESGID, id, id, id}, {unix.SYS_SETRESUID, id, id, id}} {
		if _, _, errno := syscall.RawSyscall(call[0], call[1], call[2], call[3]); errno != 0 {
			return errno
		}
	}
	return nil
}

// dropCapabilities leaves none, and none to be had by executing something.
func (w *wrapper) dropCapabilities() error {
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if errors.Is(err, unix.EPERM) {
			break // who is not root gains nothing from the set: no_new_privs comes next
		}
		if err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: a capability that this kernel does not know
			return err
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	none := [2]unix.CapUserData{}
	return unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0])
}
