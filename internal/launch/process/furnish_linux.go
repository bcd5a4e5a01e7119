package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// furnish makes in the new root what is no mount, and closes it.
func (w *wrapper) furnish(links []link) error {
	links = append(links, link{"/dev/fd", "/proc/self/fd"},
		link{"/dev/stdin", "fd/0"}, link{"/dev/stdout", "fd/1"}, link{"/dev/stderr", "fd/2"})
	for _, l := range links {
		err := os.MkdirAll(filepath.Dir(l.path), 0o755) //nolint:gosec // to be passed
		if err == nil {
			err = os.Symlink(l.target, l.path)
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	// Some programs ask who they are and stop when nobody knows.
	id := w.User
	if id == 0 || w.stay != nil {
		id = uint32(syscall.Getuid()) //nolint:gosec // not negative on Linux
	}
	people := fmt.Sprintf("root:x:0:0::/:/sbin/nologin\nserver:x:%d:%d::%s:/sbin/nologin\n", id, id, w.Dir)
	groups := fmt.Sprintf("root:x:0:\nserver:x:%d:\n", id)
	return errors.Join(
		os.MkdirAll("/etc", 0o755),                         //nolint:gosec // to be read
		os.WriteFile("/etc/passwd", []byte(people), 0o644), //nolint:gosec // to be read
		os.WriteFile("/etc/group", []byte(groups), 0o644),  //nolint:gosec // to be read
		unix.MountSetattr(unix.AT_FDCWD, "/", 0, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}),
	)
}
