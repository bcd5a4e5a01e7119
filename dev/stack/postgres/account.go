package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"steward/internal/fault"
)

// CodeUnreachable is the code of the fault that the cluster's user may not enter the folder above it.
const CodeUnreachable = "folder_unreachable"

// account is the user PostgreSQL runs as when we are root, which it refuses to be. nil means: as ourselves.
type account struct {
	name     string
	uid, gid uint32
}

// serviceAccount is nil unless we are root; then postgres or, failing that, nobody.
func serviceAccount() (*account, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			continue
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			continue
		}
		return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, fault.New(fault.Unavailable, "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

func (a *account) credential() *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// own gives dir and all it holds to the account, and checks that the account can get there.
func (a *account) own(dir string) error {
	if a == nil {
		return nil
	}
	if !a.canEnter(filepath.Dir(dir)) {
		return fault.New(fault.Invalid,
			"PostgreSQL does not run as root, and user %s may not enter %s: choose a data folder elsewhere, such as /var/lib/steward",
			a.name, filepath.Dir(dir)).WithCode(CodeUnreachable)
	}
	root, err := os.OpenRoot(dir) // the account may write in there and must not lead us out
	if err == nil {
		err = errors.Join(fs.WalkDir(root.FS(), ".", func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return root.Lchown(path, int(a.uid), int(a.gid))
		}), root.Close())
	}
	if err != nil {
		return fmt.Errorf("give the cluster to user %s: %w", a.name, err)
	}
	return nil
}

// canEnter reports whether the account may pass through dir and every folder above it.
func (a *account) canEnter(dir string) bool {
	if a == nil {
		return true
	}
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	need := fs.FileMode(0o001)
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid == a.uid {
		need = 0o100
	} else if ok && owner.Gid == a.gid {
		need = 0o010
	}
	if info.Mode()&need == 0 {
		return false
	}
	parent := filepath.Dir(dir)
	return parent == dir || a.canEnter(parent)
}
