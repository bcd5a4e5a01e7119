package process

import (
	"errors"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Landlock (landlock(7)) holds without root and without namespaces, and for whatever the child starts. What it is
// asked to guard grows with its version; what is not guarded is allowed.
const (
	landlockRead = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	landlockV1   = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1
	// landlockFiles are the rights that a rule on a file can give.
	landlockFiles = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	landlockNet       = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	landlockRulePort  = 2 // LANDLOCK_RULE_NET_PORT, which x/sys does not have
	landlockPortsFrom = 4 // the version that knows ports: Linux 6.7
	landlockScopeFrom = 6 // the version that knows scopes: Linux 6.12
)

// landlock restricts files, ports and, where no namespaces do, signals and abstract sockets.
func (w *wrapper) landlock() error {
	version, _, errno := syscall.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return errno
	}
	handled := landlockAttr(int(version), w.limitsPorts())
	if handled.Scoped == 0 && !w.Namespaces {
		w.lack("no signals to other processes", errors.New("this kernel's Landlock does not know scopes"))
	}
	rules, _, errno := syscall.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&handled)), unsafe.Sizeof(handled), 0) //nolint:gosec // as landlock_create_ruleset(2) wants it
	if errno != 0 {
		return errno
	}
	if err := w.landlockRules(int(rules), handled); err != nil {
		return err
	}
	if _, _, errno := syscall.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, rules, 0, 0); errno != 0 {
		return errno
	}
	return unix.Close(int(rules))
}

// limitsPorts reports whether some TCP connection is forbidden.
func (w *wrapper) limitsPorts() bool { return !w.Connect || len(w.Ports) > 0 }

func landlockAttr(version int, ports bool) unix.LandlockRulesetAttr {
	attr := unix.LandlockRulesetAttr{Handled_access_fs: landlockV1}
	for from, right := range map[int]uint64{2: unix.LANDLOCK_ACCESS_FS_REFER, 3: unix.LANDLOCK_ACCESS_FS_TRUNCATE, 5: unix.LANDLOCK_ACCESS_FS_IOCTL_DEV} {
		if version >= from {
			attr.Handled_access_fs |= right
		}
	}
	if version >= landlockPortsFrom && ports {
		attr.Handled_access_net = landlockNet
	}
	if version >= landlockScopeFrom {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	return attr
}

func (w *wrapper) landlockRules(rules int, handled unix.LandlockRulesetAttr) error {
	const device = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	write, others := w.Write, []string{"/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys"}
	if w.rooted { // nothing is there that may not be looked at
		write, others = append(write, "/tmp", "/dev/shm"), []string{"/proc", "/etc"}
		if err := allow(rules, "/", unix.LANDLOCK_ACCESS_FS_READ_DIR); err != nil {
			return err
		}
	}
	for _, set := range []struct {
		paths  []string
		access uint64
	}{
		{write, handled.Handled_access_fs},
		{slices.Concat(w.Read, system()), landlockRead},
		{others, unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR},
		{devices(), device},
	} {
		for _, path := range set.paths {
			if err := allow(rules, path, set.access&handled.Handled_access_fs); err != nil {
				return err
			}
		}
	}
	if handled.Handled_access_net == 0 || !w.Connect {
		return nil
	}
	for _, port := range w.Ports {
		rule := struct{ access, port uint64 }{unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, uint64(port)}
		if err := addRule(rules, landlockRulePort, unsafe.Pointer(&rule)); err != nil { //nolint:gosec // as landlock_add_rule(2) wants it
			return err
		}
	}
	return nil
}

// allow gives rights below path. What is not there, or cannot be reached, needs no rule.
func allow(rules int, path string, access uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.EACCES) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= landlockFiles
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)} //nolint:gosec // a descriptor
	return addRule(rules, unix.LANDLOCK_RULE_PATH_BENEATH, unsafe.Pointer(&rule))      //nolint:gosec // as landlock_add_rule(2) wants it
}

func addRule(rules, kind int, rule unsafe.Pointer) error {
	if _, _, errno := syscall.RawSyscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(rules), uintptr(kind), uintptr(rule), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
