package python

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"steward/internal/fault"
)

// Entry is how module is started with the Python of the environment in folder: as arguments after the interpreter's
// own options. A module that can be run wins over a console script of its name. Invalid if it is neither. No code
// of the package runs to find out.
func Entry(folder, module string) ([]string, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open package folder: %w", err)
	}
	defer func() { _ = root.Close() }()
	packages, err := fs.Glob(root.FS(), "lib/python*/site-packages")
	if err != nil || len(packages) != 1 {
		return nil, fmt.Errorf("find site-packages: %d found: %w", len(packages), err)
	}
	if !strings.Contains(module, "-") {
		file := path.Join(packages[0], strings.ReplaceAll(module, ".", "/"))
		for _, candidate := range []string{path.Join(file, "__main__.py"), file + ".py"} {
			if info, err := root.Stat(candidate); err == nil && info.Mode().IsRegular() {
				return []string{"-m", module}, nil
			}
		}
	}
	script := path.Join("bin", module)
	if info, err := root.Stat(script); err == nil && info.Mode().IsRegular() && !slices.Contains(ofVenv, module) {
		return []string{script}, nil
	}
	return nil, fault.InvalidField("body.pythonModule", "the package has no module and no console script of this name that could be started")
}

// ofVenv are the files in bin of an empty environment.
var ofVenv = []string{"activate", "activate.csh", "activate.fish", "Activate.ps1"}
