package process

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Registered is what an admin has said about a server that runs as our child. What users store for it is not part of
// it: a user must not name folders.
type Registered struct {
	Identity Identity
	Command  string
	Named    []string                  // arguments, and values of variables
	Packages string                    // folder of installed packages; a child reads its own package alone
	Data     string                    // our data folder: nothing that holds it is given to a child
	Reach    func(netip.AddrPort) bool // decides about its connections, as egress.Exit.Reaches does; nil: it reaches all
}

// Child returns what such a child may have, and its folder, which is empty where a temporary one will do.
//
// The network is open as far as Reach, for most servers are clients of something. A folder that is named is there to
// be worked in. A file that is named comes with the project around it, to be read. An installed package is read, and
// has a folder that stays, one for each user. What holds our own data, or somebody's home, is never given.
func (r Registered) Child() (*Sandbox, string, error) {
	box := &Sandbox{Connect: true, Reach: r.Reach, Identity: r.Identity}
	installed := false
	admit := func(path string) {
		info, err := os.Stat(path)
		switch own := r.packageOf(path); {
		case err != nil || !filepath.IsAbs(path):
		case own != "":
			box.Read = append(box.Read, own)
			installed = true
		case !info.IsDir() && r.keeps(filepath.Dir(path)): // such as our keys
		case !info.IsDir():
			box.Read = append(box.Read, r.project(path))
		case !r.holdsMore(path):
			box.Write = append(box.Write, path)
		}
	}
	if path, err := exec.LookPath(r.Command); err == nil && (filepath.Base(filepath.Dir(path)) != "bin" || r.packageOf(path) != "") {
		admit(path)
	}
	for _, named := range r.Named {
		if _, value, found := strings.Cut(named, "="); found && strings.HasPrefix(named, "-") {
			named = value
		}
		admit(named)
	}
	if !installed || r.Identity.Server == 0 {
		return box, "", nil
	}
	state, err := r.stateFolder()
	return box, state, err
}

// states is the folder of state folders, below our data folder.
const states = "servers"

// StateFolder is where installed packages of a server keep what is to stay; whoever removes the server removes it.
func StateFolder(data string, server int64) string {
	return filepath.Join(data, states, strconv.FormatInt(server, 10))
}

func (r Registered) stateFolder() (string, error) {
	owner := sha256.Sum256([]byte(r.Identity.Owner))
	dir, err := filepath.Abs(filepath.Join(StateFolder(r.Data, r.Identity.Server), hex.EncodeToString(owner[:8])))
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return "", fmt.Errorf("make state folder of server %d: %w", r.Identity.Server, err)
	}
	return dir, nil
}

// packageOf is the folder of the installed package in which path lies: <packages>/<server>/<release>.
func (r Registered) packageOf(path string) string {
	root, err := filepath.Abs(r.Packages)
	if err != nil || r.Packages == "" {
		return ""
	}
	below, err := filepath.Rel(root, path)
	if err != nil || !filepath.IsLocal(below) {
		return ""
	}
	parts := strings.Split(below, string(filepath.Separator))
	if len(parts) < 3 {
		return ""
	}
	return filepath.Join(root, parts[0], parts[1])
}

// project is the folder around a file: the outermost node_modules on its way, else the nearest one that says it is a
// project, else the file's own. The file alone remains where that would give too much.
func (r Registered) project(file string) string {
	const modules = "node_modules"
	if before, _, found := strings.Cut(file, "/"+modules+"/"); found {
		return filepath.Join(before, modules)
	}
	own := filepath.Dir(file)
	for dir := own; !r.holdsMore(dir); dir = filepath.Dir(dir) {
		for _, sign := range []string{"package.json", modules, "pyproject.toml", "setup.py", "pyvenv.cfg", "go.mod"} {
			if _, err := os.Stat(filepath.Join(dir, sign)); err == nil {
				return dir
			}
		}
	}
	if r.holdsMore(own) || strings.Count(own, "/") < 2 { // such as /etc
		return file
	}
	return own
}

// holdsMore reports whether dir is, or holds, a folder of ours or a home, so that it is nobody's to have whole.
func (r Registered) holdsMore(dir string) bool {
	home, _ := os.UserHomeDir()
	for _, kept := range []string{r.Data, r.Packages, filepath.Join(r.Data, states), home} {
		if below, err := filepath.Rel(resolved(dir), resolved(kept)); kept != "" && (err != nil || filepath.IsLocal(below)) {
			return true
		}
	}
	return false
}

// keeps reports whether dir is our data folder itself.
func (r Registered) keeps(dir string) bool { return resolved(dir) == resolved(r.Data) }

// resolved is where path leads, as far as it is there.
func resolved(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	if end, err := filepath.EvalSymlinks(path); err == nil {
		return end
	}
	if dir := filepath.Dir(path); dir != path {
		return filepath.Join(resolved(dir), filepath.Base(path))
	}
	return path
}
