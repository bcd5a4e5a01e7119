//go:build unix && !linux

package process

import "syscall"

// attributes puts the child into a group of its own, so that Ctrl-C on the terminal reaches the supervisor
// alone and the children are stopped in order. There is no parent-death signal here: see Config.Lifeline.
func attributes(cfg Config) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: cfg.Credential}
}
