package prefix

import (
	"io/fs"
	"time"
)

// state is what changes of an entry when somebody writes to it.
type state struct {
	mode     fs.FileMode
	size     int64
	modified time.Time
	inode    inode
}

// states are those of a folder, by name below it.
type states map[string]state

func stateOf(info fs.FileInfo) state {
	return state{mode: info.Mode(), size: info.Size(), modified: info.ModTime(), inode: inodeOf(info)}
}
