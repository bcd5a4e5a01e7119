//go:build unix

package mcpclient

import "syscall"

// killGroup ends every process of the group that pid leads.
func killGroup(pid int) error { return signalGroup(pid, syscall.SIGKILL) }

func signalGroup(pid int, sig syscall.Signal) error { return syscall.Kill(-pid, sig) }
