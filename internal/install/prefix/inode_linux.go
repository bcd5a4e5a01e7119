package prefix

import (
	"io/fs"
	"syscall"
)

// inode tells a file from another of the same name, and a written one from its former self: the time of the last
// change, unlike that of the last modification, cannot be set.
type inode struct {
	number  uint64
	changed syscall.Timespec
}

func inodeOf(info fs.FileInfo) inode {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return inode{}
	}
	return inode{number: stat.Ino, changed: stat.Ctim}
}
