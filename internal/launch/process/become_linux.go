package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Names under which this program starts itself, as the zeroth argument: they can be taken for no argument that a
// person gives.
const (
	wrapperName = "steward: wrapper"
	idleName    = "steward: idle" // holds a user namespace until it is killed
)

// The wrapper's descriptors beside the child's three.
const (
	ordersFD  = 3
	reportsFD = 4
)

// armed says that this program can become the wrapper. One that cannot would run its own main in the child's place.
var armed atomic.Bool

// Become must be the first thing that main does, and TestMain where tests start confined children. In a process that
// was started as a wrapper it does not return.
func Become() {
	armed.Store(true)
	if len(os.Args) == 0 {
		return
	}
	switch os.Args[0] {
	case wrapperName:
		os.Exit(become())
	case idleName:
		_, _ = os.Stdin.Read(make([]byte, 1))
		os.Exit(0)
	}
}

// wrapper takes from its own thread what the child shall not have. Nothing that it cannot take is fatal: it is
// reported.
type wrapper struct {
	order
	missing []string
	rooted  bool  // what it sees of the file system is a view of its own
	stay    error // why the user cannot be changed

	listener int // of its connections; 0: none
}

// become returns only if the child cannot be.
func become() int {
	runtime.LockOSThread() // what follows is about a thread, and execve keeps the one that calls it
	unix.CloseOnExec(reportsFD)
	w := &wrapper{}
	step, err := w.prepare()
	if err == nil {
		if err = w.say(report{Missing: w.missing}); err != nil {
			return 126 // nobody is there any more
		}
		if w.Path == "" { // all that was asked is what is missing
			return 0
		}
		step, err = "executing the program", syscall.Exec(w.Path, append([]string{w.Path}, w.Args...), w.Env) //nolint:gosec // that is what it is for
	}
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		errno = syscall.EINVAL
	}
	w.listener = 0 // was passed on
	_ = w.say(report{Failed: step, Errno: int(errno)})
	return 127
}

// say sends a report, and the listener with it.
func (w *wrapper) say(r report) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	var rights []byte
	if w.listener != 0 {
		rights = unix.UnixRights(w.listener)
	}
	return unix.Sendmsg(reportsFD, text, rights, nil, unix.MSG_NOSIGNAL)
}

// prepare does everything in the order in which it is still allowed.
func (w *wrapper) prepare() (step string, err error) {
	orders := os.NewFile(ordersFD, "orders")
	if err := errors.Join(json.NewDecoder(orders).Decode(&w.order), orders.Close()); err != nil {
		return "reading the order", err
	}
	if err := unix.CloseRange(ordersFD, 1<<16, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		w.lack("closing what else is open", err)
	}
	w.killFirst()
	if w.User != 0 {
		w.stay = userKnown(w.User)
	}
	if w.Namespaces {
		w.take("a view of the file system of its own", w.ownRoot)
	} else {
		w.missing = append(w.missing, "namespaces of its own: what it starts may outlive it")
	}
	if err := unix.Chdir(w.Dir); err != nil {
		return "entering its folder", err
	}
	w.limit()
	w.take("a user number of its own", w.becomeUser)
	w.take("no capabilities", w.dropCapabilities)
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil { // changing the user has undone it
		return "dying with its parent", err
	}
	if err := parentLives(); err != nil {
		return "looking for its parent", err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return "renouncing privileges", err
	}
	w.take("Landlock", w.landlock)
	w.take("a filter of system calls", w.filter)
	return "", nil
}

// take applies one layer.
func (w *wrapper) take(layer string, apply func() error) {
	if err := apply(); err != nil {
		w.lack(layer, err)
	}
}

// lack records a layer that is not there. The cause is an error number or our own words: no names of files.
func (w *wrapper) lack(layer string, err error) {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno
	}
	if text := fmt.Sprintf("%s: %v", layer, err); !slices.Contains(w.missing, text) {
		w.missing = append(w.missing, text)
	}
}

// killFirst makes the kernel, when memory is short, end children before us.
func (w *wrapper) killFirst() {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0) // a preference, no protection
}

// parentLives closes the moment between the parent's death and the request for its signal: the parent holds the
// other end of the reports.
func parentLives() error {
	fds := []unix.PollFd{{Fd: reportsFD}}
	if _, err := unix.Poll(fds, 0); err != nil {
		return err
	}
	if fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0 {
		return syscall.ESRCH
	}
	return nil
}
