// Package python installs Python packages into virtual environments of their own, from wheels alone, which run
// nothing while they are installed, and with the hash of every file checked.
package python

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"steward/internal/fault"
	"steward/internal/install/command"
	"steward/internal/secret"
)

// Tool makes virtual environments with one Python. It is not looked for before it is used.
type Tool struct {
	python  string   // as configured
	environ []string // of the process
}

// New makes a tool of the Python at python, a path or a name. Of environ, in os.Environ's form, pip gets its own
// settings and how the network is reached.
func New(python string, environ []string) (*Tool, error) {
	if python == "" {
		return nil, errors.New("python: which Python is required")
	}
	return &Tool{python: python, environ: environ}, nil
}

// Index is where pip looks instead of, or beside, what its own configuration says. Both may hold credentials.
type Index struct{ URL, Extra secret.String }

// environment is pip's, the index settings in it so that they are in no list of processes.
func (t *Tool) environment(index Index) []string {
	env := []string{"PATH=" + command.Lookup(t.environ, "PATH")}
	if file := t.userSettings(); file != "" {
		env = append(env, "PIP_CONFIG_FILE="+file)
	}
	env = command.Environment(t.environ, env, "PIP_")
	if !index.URL.IsZero() {
		env = append(env, "PIP_INDEX_URL="+index.URL.Reveal())
	}
	if !index.Extra.IsZero() {
		env = append(env, "PIP_EXTRA_INDEX_URL="+index.Extra.Reveal())
	}
	return env
}

// userSettings is the user's pip.conf, which pip would look for in its HOME.
func (t *Tool) userSettings() string {
	home := command.Lookup(t.environ, "HOME")
	if home == "" {
		return ""
	}
	config := command.Lookup(t.environ, "XDG_CONFIG_HOME")
	if config == "" {
		config = filepath.Join(home, ".config")
	}
	for _, file := range []string{filepath.Join(config, "pip", "pip.conf"), filepath.Join(home, ".pip", "pip.conf")} {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file
		}
	}
	return ""
}

// interpreter is the Python itself, also where what is configured is a script that picks one.
func (t *Tool) interpreter(ctx context.Context) (string, error) {
	missing := func(err error) error {
		return fault.Wrap(err, fault.Unavailable, "Python is not installed where this server looks for it: see PYTHON_BIN").WithCode("python_missing")
	}
	path, err := exec.LookPath(t.python)
	if err != nil {
		return "", missing(err)
	}
	cmd := exec.CommandContext(ctx, path, "-I", "-c", "import os, sys; print(os.path.realpath(sys.executable))") //nolint:gosec // the operator's Python
	cmd.Env = t.environment(Index{})
	if home := command.Lookup(t.environ, "HOME"); home != "" {
		cmd.Env = append(cmd.Env, "HOME="+home)
	}
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", missing(err)
	}
	return strings.TrimSpace(string(out)), nil
}

// environmentIn makes a virtual environment in folder. It cannot be moved afterwards: its programs name its path.
func (t *Tool) environmentIn(ctx context.Context, folder, home string, options ...string) error {
	python, err := t.interpreter(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // G301: servers read it as somebody else
		return fmt.Errorf("make environment's folder: %w", err)
	}
	_, err = command.Run(ctx, command.Command{
		Path: python, Args: append(append([]string{"-I", "-m", "venv"}, options...), folder), Env: t.environment(Index{}), Home: home, Into: folder,
	})
	if _, failed := errors.AsType[*command.Error](err); failed {
		return fault.Wrap(err, fault.Unavailable, "Python makes no virtual environments here: its venv and ensurepip modules are needed").WithCode("python_missing")
	}
	return err
}

// pip runs pip for the environment in folder, which has none.
func (t *Tool) pip(ctx context.Context, folder, home string, index Index, args ...string) ([]byte, error) {
	interpreter, err := t.withPip(ctx, folder, home)
	if err != nil {
		return nil, err
	}
	env := t.environment(index)
	out, err := command.Run(ctx, command.Command{
		Path: interpreter, Env: env, Home: home, Into: folder, Args: slices.Concat(pipFor(folder), []string{
			"--no-input", "--no-color", "--disable-pip-version-check", "--quiet", "--cache-dir", filepath.Join(home, "cache"),
		}, args),
		Read: command.Settings(env, t.userSettings(), "/etc/pip.conf", "/etc/xdg/pip/pip.conf"),
	})
	return out, t.said(err)
}

// pipFor are the arguments of a Python whose pip is to work for the environment in folder: pip can since 22.3.
func pipFor(folder string) []string {
	return []string{"-I", "-m", "pip", "--python", filepath.Join(folder, "bin", "python")}
}

// withPip is a Python with such a pip: the one that is configured, else that of a throw-away environment in home, which
// takes seconds to make.
func (t *Tool) withPip(ctx context.Context, folder, home string) (string, error) {
	python, err := t.interpreter(ctx)
	if err != nil {
		return "", err
	}
	probe := command.Command{Path: python, Args: append(pipFor(folder), "--version"), Env: t.environment(Index{}), Home: home, Into: folder}
	if _, err := command.Run(ctx, probe); err == nil {
		return python, nil
	}
	own := filepath.Join(home, "pip")
	python = filepath.Join(own, "bin", "python")
	if _, err := os.Stat(python); err == nil {
		return python, nil
	}
	return python, t.environmentIn(ctx, own, home)
}

// said turns what pip wrote into what people may read of it. pip has one exit status for everything, and its words
// name hosts.
func (t *Tool) said(err error) error {
	e, ok := errors.AsType[*command.Error](err)
	switch {
	case !ok:
		return err
	case strings.Contains(e.Words, "Requires-Python"):
		return fault.Wrap(err, fault.Invalid, "the package needs another Python than this server has")
	case strings.Contains(e.Words, "No matching distribution found"), strings.Contains(e.Words, "ResolutionImpossible"):
		return fault.Wrap(err, fault.Invalid, "the package index has no such package, or no such version of it or of what it needs, as a wheel")
	case strings.Contains(e.Words, "DO NOT MATCH THE HASHES"):
		return fault.Wrap(err, fault.Invalid, "what the package index sent is not what it announced")
	}
	return fault.Wrap(fmt.Errorf("pip: %w", err), fault.Upstream, "pip could not install the package")
}
