//go:build unix && !linux

package prefix

import (
	"io/fs"
	"syscall"
)

// inode tells a file from another of the same name.
type inode struct{ number uint64 }

func inodeOf(info fs.FileInfo) inode {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return inode{}
	}
	return inode{number: stat.Ino}
}
