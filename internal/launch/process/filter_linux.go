package process

import (
	"errors"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// filter forbids system calls by which the other layers could be gone round (seccomp(2)). Without Connect it leaves
// no sockets but local ones: this needs neither root nor namespaces, and holds for UDP too. With Reach it lets
// somebody look at each connection.
func (w *wrapper) filter() error {
	arch, ok := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	if !ok {
		return errors.New("none is written for this processor")
	}
	if w.Connect && w.Supervised {
		program := filterProgram(arch, supervised)
		for _, flags := range []uintptr{unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER} {
			fd, errno := setFilter(program, flags)
			if errno == 0 {
				w.listener = fd
				return nil
			}
			if errno != syscall.EINVAL { // an older kernel does not know the flag
				w.lack("a look at each connection", errno)
				break
			}
		}
	}
	network := open
	if !w.Connect {
		network = closed
	}
	if _, errno := setFilter(filterProgram(arch, network), 0); errno != 0 {
		return errno
	}
	return nil
}

func setFilter(program []unix.SockFilter, flags uintptr) (int, syscall.Errno) {
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}                                                    //nolint:gosec // a few dozen
	fd, _, errno := syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog))) //nolint:gosec // as seccomp(2) wants it
	runtime.KeepAlive(program)
	return int(fd), errno
}

// network is what the filter does about it.
type network int

const (
	closed     network = iota // no sockets but local ones
	open                      // nothing
	supervised                // connections are asked for
)

// Offsets in struct seccomp_data.
const (
	dataCall = 0
	dataArch = 4
)

// argument is where the low half of an argument lies, on little-endian machines.
func argument(n uint32) uint32 { return 16 + 8*n }

// forbidden are answered "not implemented", for which every program is prepared. io_uring makes sockets and opens
// files past this filter; the keyrings are those of the process that started us; the rest is attack surface.
func forbidden() []uint32 {
	return []uint32{
		unix.SYS_IO_URING_SETUP, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
		unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD,
	}
}

func filterProgram(arch uint32, n network) []unix.SockFilter {
	const x32 = 0x40000000 // numbers of another ABI, on amd64
	program := []unix.SockFilter{
		load(dataArch),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: arch, Jt: 1},
		refuse(syscall.ENOSYS), // another processor's calls have other numbers
		load(dataCall),
		unless(unix.BPF_JGE, x32, 1), refuse(syscall.ENOSYS),
	}
	for _, call := range forbidden() {
		program = append(program, unless(unix.BPF_JEQ, call, 1), refuse(syscall.ENOSYS))
	}
	switch n {
	case closed:
		program = append(program,
			unless(unix.BPF_JEQ, unix.SYS_SOCKET, 4), load(argument(0)), unless(unix.BPF_JEQ, unix.AF_UNIX, 1), answer(unix.SECCOMP_RET_ALLOW), refuse(syscall.EACCES))
	case supervised:
		program = append(program, unless(unix.BPF_JEQ, unix.SYS_CONNECT, 1), answer(unix.SECCOMP_RET_USER_NOTIF))
		for call, flags := range map[uint32]uint32{unix.SYS_SENDTO: 3, unix.SYS_SENDMSG: 2, unix.SYS_SENDMMSG: 3} { // connecting by sending
			program = append(program,
				unless(unix.BPF_JEQ, call, 4), load(argument(flags)), unless(unix.BPF_JSET, unix.MSG_FASTOPEN, 1), refuse(syscall.EOPNOTSUPP), answer(unix.SECCOMP_RET_ALLOW))
		}
	}
	return append(program, answer(unix.SECCOMP_RET_ALLOW))
}

func load(at uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
}

func answer(action uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
}

func refuse(errno syscall.Errno) unix.SockFilter {
	return answer(unix.SECCOMP_RET_ERRNO | uint32(errno)) //nolint:gosec // a small number
}

// unless skips so many instructions if the comparison does not hold.
func unless(compare uint16, value uint32, skip uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | compare | unix.BPF_K, K: value, Jf: skip}
}
