package process

import "net/netip"

// Sandbox is what a child may have beside its arguments, its environment and its own folder. The zero value is a
// child without network that may read the system's programs and libraries and change nothing but its own folder.
type Sandbox struct {
	Read  []string // absolute paths of folders and files that it may read and execute, beside the system's own
	Write []string // absolute paths of folders that it may change
	Made  []string // the same, of folders that were made for it: where nothing can be lent they are given to its user

	Connect bool // it may open connections; else it has no sockets but local ones between its own processes
	// Reach decides about each TCP connection that it opens, whatever its address was called; nil: it reaches all.
	Reach func(netip.AddrPort) bool
	Ports []uint16 // when set, TCP connections go to these ports only, and nothing listens

	Identity Identity // whose child it is: where we may choose (as root), each has a user number of its own

	Memory    uint64 // bytes of data that one of its processes may hold; 0: 4 GiB
	Files     uint64 // files that one of its processes may have open; 0: 1024
	Processes uint64 // processes and threads that it may have at a time; 0: 256
}

// Defaults of what a Sandbox does not say. Node.js holds 49 MB of data to say hello, and 64 MB less than the limit
// when its own allocations begin to fail.
const (
	defaultMemory    = 4 << 30
	defaultFiles     = 1024
	defaultProcesses = 256
)

func or(value, fallback uint64) uint64 {
	if value == 0 {
		return fallback
	}
	return value
}
