//go:build unix && !linux

package mcpclient

import "syscall"

// groupAttr gives the child a process group. Only Linux can also tie it to our life; elsewhere a child
// whose parent was killed ends when it reads the end of its stdin.
func groupAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
