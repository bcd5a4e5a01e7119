package process

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// supervisor makes the child's connections for it (seccomp_unotify(2)): each connect(2) stops until we have looked at
// the address. The kernel hands us the socket, and we connect it to the address that we have looked at, so that
// rewriting the address meanwhile changes nothing. It holds for whatever the child starts, and for names that lead
// elsewhere on the second look.
//
// It stops programs that are talked into reaching for this machine or its network. A hostile one can still exchange
// its descriptors under a connect to one of its own local sockets, and send datagrams anywhere: what must not reach
// anything gets no Connect.
type supervisor struct {
	listener *os.File
	reach    func(netip.AddrPort) bool
	ports    []uint16
	busy     chan struct{} // one for each connection that is being made
}

// mostDials bounds the connections that one child makes at a time, each of which may keep a thread of ours.
const mostDials = 32

// Structures of seccomp(2).
type (
	seccompData struct {
		call uint32
		arch uint32
		ip   uint64
		args [6]uint64
	}
	notification struct {
		id    uint64
		pid   uint32
		flags uint32
		data  seccompData
	}
	response struct {
		id    uint64
		value int64
		errno int32
		flags uint32
	}
)

// run works until no process is left that the filter holds for.
func (v *supervisor) run() {
	defer func() { _ = v.listener.Close() }()
	raw, err := v.listener.SyscallConn()
	if err != nil {
		return
	}
	for {
		var n notification
		over := false
		err := raw.Read(func(fd uintptr) bool {
			var ready bool
			ready, over = v.next(int(fd), &n)
			return ready || over
		})
		if err != nil || over {
			return
		}
		if n.id == 0 {
			continue // whoever asked is gone
		}
		v.busy <- struct{}{}
		go func() {
			defer func() { <-v.busy }()
			v.answer(n)
		}()
	}
}

// next takes a question if there is one.
func (v *supervisor) next(fd int, n *notification) (ready, over bool) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // a descriptor
	if _, err := unix.Poll(fds, 0); err != nil && !errors.Is(err, unix.EINTR) {
		return false, true
	}
	switch {
	case fds[0].Revents&unix.POLLIN != 0:
		*n = notification{}
		if v.ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(n)) != 0 { //nolint:gosec // as seccomp_unotify(2) wants it
			n.id = 0
		}
		return true, false
	case fds[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0:
		return false, true
	}
	return false, false
}

func (v *supervisor) ioctl(fd int, request uintptr, arg unsafe.Pointer) syscall.Errno {
	_, _, errno := syscall.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
	return errno
}

// answer makes one connection, or says why not.
func (v *supervisor) answer(n notification) {
	r := response{id: n.id}
	errno, proceed := v.connect(n)
	if proceed {
		r.flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE
	} else {
		r.errno = -int32(errno) //nolint:gosec // a small number
	}
	raw, err := v.listener.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { // who asked may be gone
		_ = v.ioctl(int(fd), unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r)) //nolint:gosec // as seccomp_unotify(2) wants it
	})
}

// connect does what the child asked for, with its socket. Proceed lets the kernel do it.
func (v *supervisor) connect(n notification) (errno syscall.Errno, proceed bool) {
	socket, err := socketOf(int(n.pid), int(n.data.args[0])) //nolint:gosec // a thread, a descriptor
	if err != nil {
		return errnoOf(err), false
	}
	defer func() { _ = unix.Close(socket) }()
	domain, err := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return errnoOf(err), false
	}
	if domain != unix.AF_INET && domain != unix.AF_INET6 {
		return 0, true // a local socket, or the kernel itself: the other layers have judged it
	}
	kind, err := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return errnoOf(err), false
	}
	address, err := v.memory(n, n.data.args[1], n.data.args[2])
	if err != nil {
		return errnoOf(err), false
	}
	if to, ok := parseAddress(address); ok && kind != unix.SOCK_DGRAM && !v.allowed(to) { // a name server may be local
		return syscall.EACCES, false
	}
	if len(address) == 0 {
		return syscall.EINVAL, false
	}
	_, _, errno = syscall.Syscall(unix.SYS_CONNECT, uintptr(socket), uintptr(unsafe.Pointer(&address[0])), uintptr(len(address))) //nolint:gosec // connect(2) with the bytes that were judged
	return errno, false
}

func (v *supervisor) allowed(to netip.AddrPort) bool {
	if len(v.ports) > 0 && !slices.Contains(v.ports, to.Port()) {
		return false
	}
	return v.reach == nil || v.reach(to)
}

// socketOf takes a copy of another process's descriptor. Some kernels know processes by their first thread alone.
func socketOf(thread, fd int) (int, error) {
	const pidfdThread = unix.O_EXCL // PIDFD_THREAD, since Linux 6.9
	p, err := unix.PidfdOpen(thread, pidfdThread)
	if errors.Is(err, unix.EINVAL) {
		p, err = unix.PidfdOpen(leader(thread), 0)
	}
	if err != nil {
		return -1, err
	}
	defer func() { _ = unix.Close(p) }()
	return unix.PidfdGetfd(p, fd, 0)
}

// leader is the number of a thread's process.
func leader(thread int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", thread))
	if err != nil {
		return thread
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "Tgid:"); ok {
			if pid, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
				return pid
			}
		}
	}
	return thread
}

// memory copies what the child passed, and makes sure that it was the child: its number may be another's by now.
func (v *supervisor) memory(n notification, at, size uint64) ([]byte, error) {
	if size > unix.SizeofSockaddrAny {
		return nil, unix.EINVAL
	}
	buf := make([]byte, size)
	if size > 0 {
		local := []unix.Iovec{{Base: &buf[0], Len: size}}
		remote := []unix.RemoteIovec{{Base: uintptr(at), Len: int(size)}}
		got, err := unix.ProcessVMReadv(int(n.pid), local, remote, 0)
		if err != nil {
			return nil, err
		}
		buf = buf[:got]
	}
	raw, err := v.listener.SyscallConn()
	if err != nil {
		return nil, err
	}
	var errno syscall.Errno
	if err := raw.Control(func(fd uintptr) {
		errno = v.ioctl(int(fd), unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&n.id)) //nolint:gosec // as seccomp_unotify(2) wants it
	}); err != nil {
		return nil, err
	}
	if errno != 0 {
		return nil, errno
	}
	return buf, nil
}

// parseAddress reads an internet address; a socket has none for anything else.
func parseAddress(sockaddr []byte) (netip.AddrPort, bool) {
	if len(sockaddr) < 2 {
		return netip.AddrPort{}, false
	}
	family := binary.NativeEndian.Uint16(sockaddr)
	switch {
	case family == unix.AF_INET && len(sockaddr) >= unix.SizeofSockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(sockaddr[4:8])), binary.BigEndian.Uint16(sockaddr[2:])), true
	case family == unix.AF_INET6 && len(sockaddr) >= unix.SizeofSockaddrInet6-4: // without the scope: RFC 2133
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(sockaddr[8:24])).Unmap(), binary.BigEndian.Uint16(sockaddr[2:])), true
	}
	return netip.AddrPort{}, false
}

func errnoOf(err error) syscall.Errno {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return syscall.EACCES
}
