package npm

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"steward/internal/fault"
)

// lockFile is what we read of npm's lock file, version 3.
type lockFile struct {
	Packages map[string]locked `json:"packages"` // by folder; "" is our own package.json
}

type locked struct {
	Version      string            `json:"version"`
	Integrity    string            `json:"integrity"`
	Link         bool              `json:"link"`
	InBundle     bool              `json:"inBundle"` // came inside another, whose integrity covers it
	Scripts      bool              `json:"hasInstallScript"`
	Dependencies map[string]string `json:"dependencies"`
	Optional     map[string]string `json:"optionalDependencies"`
}

// readLock names what wanted to run scripts while it was installed, and refuses a tree of which a part comes from
// elsewhere than a registry.
func readLock(lock json.RawMessage) (scripts []string, err error) {
	var doc lockFile
	if err := json.Unmarshal(lock, &doc); err != nil {
		return nil, fmt.Errorf("read lock file: %w", err)
	}
	if len(doc.Packages) < 2 {
		return nil, errors.New("the lock file names no package")
	}
	scripts = []string{}
	for folder, p := range doc.Packages {
		if folder == "" {
			continue
		}
		name := folder[strings.LastIndex(folder, "node_modules/")+len("node_modules/"):]
		if p.Link || p.Integrity == "" && !p.InBundle || foreign(p.Dependencies) || foreign(p.Optional) {
			return nil, fault.New(fault.Invalid, "%s, or what it needs, does not come from a registry", printable(name))
		}
		if p.Scripts {
			scripts = append(scripts, printable(name+"@"+p.Version))
		}
	}
	slices.Sort(scripts)
	return scripts, nil
}

// foreign tells addresses, paths and repositories from ranges of versions, tags and other names of registry packages.
func foreign(dependencies map[string]string) bool {
	for _, spec := range dependencies {
		if strings.ContainsAny(spec, "/:") && !alias(spec) {
			return true
		}
	}
	return false
}

// alias recognizes npm:name@range.
func alias(spec string) bool {
	name, ok := strings.CutPrefix(spec, "npm:")
	if i := strings.LastIndex(name, "@"); i > 0 {
		name = name[:i]
	}
	return ok && CheckName("", name) == nil
}
