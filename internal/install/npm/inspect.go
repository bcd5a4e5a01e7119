package npm

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"steward/internal/fault"
)

// Installed is what a folder holds after Install.
type Installed struct {
	Entry   string          // the script to run with Node.js, below the folder
	Lock    json.RawMessage // npm's lock file
	Scripts []string        // packages that wanted to run something while they were installed, as name@version
}

// Inspect reads what was installed. It returns Invalid for a package that cannot be run: without a program, or with
// several of which none has the package's name.
func Inspect(folder, name string) (Installed, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return Installed{}, fmt.Errorf("open package folder: %w", err)
	}
	defer func() { _ = root.Close() }()
	var in Installed
	if in.Lock, err = root.ReadFile("package-lock.json"); err != nil {
		return in, fmt.Errorf("read lock file: %w", err)
	}
	if in.Scripts, err = readLock(in.Lock); err != nil {
		return in, err
	}
	in.Entry, err = entry(root, name)
	return in, err
}

// entry finds the script that the package names as its program, where it really is.
func entry(root *os.Root, name string) (string, error) {
	home := path.Join("node_modules", name)
	raw, err := root.ReadFile(path.Join(home, "package.json"))
	if err != nil {
		return "", fmt.Errorf("read the package's manifest: %w", err)
	}
	var manifest struct {
		Bin json.RawMessage `json:"bin"`
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return "", fault.Wrap(err, fault.Invalid, "the package's package.json cannot be read")
	}
	bin, err := choose(name, manifest.Bin)
	if err != nil {
		return "", err
	}
	script := path.Join(home, bin)
	if !strings.HasPrefix(script, home+"/") {
		return "", fault.New(fault.Invalid, "the package's program lies outside the package")
	}
	info, err := root.Stat(script)
	if err != nil || !info.Mode().IsRegular() {
		return "", fault.New(fault.Invalid, "the package's program is not in it")
	}
	return script, nil
}

// choose picks a program: the only one, or the one that is named like the package's last part.
func choose(name string, bin json.RawMessage) (string, error) {
	var one string
	if json.Unmarshal(bin, &one) == nil && one != "" {
		return one, nil
	}
	var many map[string]string
	if json.Unmarshal(bin, &many) != nil || len(many) == 0 {
		return "", fault.InvalidField("body.name", "the package has no program that could be started")
	}
	if script := many[path.Base(name)]; script != "" {
		return script, nil
	}
	scripts := slices.Compact(slices.Sorted(maps.Values(many)))
	if len(scripts) == 1 {
		return scripts[0], nil
	}
	names := make([]string, 0, len(many))
	for _, program := range slices.Sorted(maps.Keys(many)) {
		names = append(names, printable(program))
	}
	return "", fault.InvalidField("body.name", "the package has several programs and none has its name: %s", strings.Join(names, ", "))
}
