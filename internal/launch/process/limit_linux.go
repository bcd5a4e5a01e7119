package process

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// limit sets resource limits. Address space is not among them: Node.js and Go reserve far more than they use. Limits
// of data and of files hold for each process, that of processes for the user.
func (w *wrapper) limit() {
	syscall.Umask(0o077)
	for _, l := range []struct {
		name     string
		resource int
		most     uint64
	}{
		{"core dumps", unix.RLIMIT_CORE, 0},
		{"memory", unix.RLIMIT_DATA, w.Memory},
		{"files", unix.RLIMIT_NOFILE, w.Files},
		{"processes", unix.RLIMIT_NPROC, w.Processes},
	} {
		if l.resource == unix.RLIMIT_NPROC && !w.countsAlone() {
			w.lack("a limit of processes", errors.New("its user has others"))
			continue
		}
		w.take("a limit of "+l.name, func() error {
			var now syscall.Rlimit
			if err := syscall.Getrlimit(l.resource, &now); err != nil {
				return err
			}
			now.Max = min(now.Max, l.most)
			now.Cur = now.Max
			return syscall.Setrlimit(l.resource, &now)
		})
	}
}

// countsAlone reports whether the kernel counts the child's processes apart from everybody else's: by its user, or
// by its user namespace.
func (w *wrapper) countsAlone() bool {
	if w.User != 0 {
		return w.stay == nil
	}
	return w.Namespaces
}
