//go:build unix

package process

import "syscall"

// signalGroup reaches every process of the group that pid leads.
func signalGroup(pid int, sig syscall.Signal) error { return syscall.Kill(-pid, sig) }
