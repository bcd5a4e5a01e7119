package process

import "syscall"

// ownGroup gives the child a process group and lets the kernel kill it when we die, however we die.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
