//go:build unix && !linux

package process

import "syscall"

// ownGroup gives the child a process group. Only Linux can also tie it to our life; elsewhere a child whose
// parent was killed ends when it reads the end of its stdin.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
