package mcpclient

import "syscall"

// groupAttr gives the child a process group and lets the kernel kill it when we die, however we die.
func groupAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
