// Package npm installs packages with the npm of the configured Node.js, without running a line of theirs: no
// lifecycle scripts, exact versions, a folder of their own.
package npm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"steward/internal/fault"
	"steward/internal/install/command"
	"steward/internal/launch/process"
)

// Tool is npm on this machine. Nothing is looked for before it is used: a process that installs nothing needs none.
type Tool struct {
	node    string   // as configured
	environ []string // of the process
}

// New makes a tool that runs npm with the Node.js at node, a path or a name. Of environ, in os.Environ's form, npm
// gets its own settings and how the network is reached.
func New(node string, environ []string) (*Tool, error) {
	if node == "" {
		return nil, errors.New("npm: which Node.js is required")
	}
	return &Tool{node: node, environ: environ}, nil
}

// Node is the absolute path of the Node.js that runs packages.
func (t *Tool) Node() (string, error) {
	path, err := exec.LookPath(t.node)
	if err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "Node.js is not installed where this server looks for it: see STEWARD_NODE").WithCode("node_missing")
	}
	return filepath.Abs(path)
}

// Version is that of Node.js, without the v.
func (t *Tool) Version(ctx context.Context) (string, error) {
	node, err := t.Node()
	if err != nil {
		return "", err
	}
	out, err := command.Run(ctx, command.Command{Path: node, Args: []string{"--version"}, Env: []string{"PATH=" + filepath.Dir(node)}})
	if err != nil {
		return "", fmt.Errorf("ask Node.js for its version: %w", err)
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), nil
}

// run runs npm, which may change folder if there is one. home is thrown away: npm's cache and logs go there.
func (t *Tool) run(ctx context.Context, folder, home string, args ...string) ([]byte, error) {
	node, err := t.Node()
	if err != nil {
		return nil, err
	}
	npm, err := sibling(node)
	if err != nil {
		return nil, err
	}
	args = append(args, "--json", "--cache", filepath.Join(home, "npm"), "--no-update-notifier")
	env, user := t.environment(node), t.userSettings()
	general := filepath.Join(filepath.Dir(filepath.Dir(node)), "etc", "npmrc")
	out, err := command.Run(ctx, command.Command{
		Path: npm, Args: args, Env: env, Home: home, Into: folder, Read: append(command.Settings(env, user, general), process.Installation(node)...),
	})
	return out, said(err)
}

// sibling is the npm beside node, else the one in PATH.
func sibling(node string) (string, error) {
	beside := filepath.Join(filepath.Dir(node), "npm")
	if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
		return beside, nil
	}
	path, err := exec.LookPath("npm")
	if err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "npm is not installed where this server looks for it: see STEWARD_NODE").WithCode("node_missing")
	}
	return path, nil
}

// environment is npm's. Its own settings stay as the operator made them: npm_config_* and the user's npmrc, which
// is found although HOME is another.
func (t *Tool) environment(node string) []string {
	path := filepath.Dir(node) + string(filepath.ListSeparator) + command.Lookup(t.environ, "PATH") // npm's first line asks for node
	env := command.Environment(t.environ, []string{"PATH=" + path}, "NPM_CONFIG_", "NPM_TOKEN")
	if file := t.userSettings(); file != "" {
		env = append(env, "npm_config_userconfig="+file)
	}
	return env
}

// userSettings is the user's npmrc, as npm would look for it: variables count in either case.
func (t *Tool) userSettings() string {
	for _, name := range []string{"npm_config_userconfig", "NPM_CONFIG_USERCONFIG"} {
		if file := command.Lookup(t.environ, name); file != "" {
			return file
		}
	}
	if home := command.Lookup(t.environ, "HOME"); home != "" {
		return filepath.Join(home, ".npmrc")
	}
	return ""
}

// said turns what npm answered into what people may read of it. Its own words name hosts and paths.
func said(err error) error {
	e, ok := errors.AsType[*command.Error](err)
	if !ok {
		return err
	}
	var answer struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	_ = json.Unmarshal(e.Output, &answer) // npm that fell over says nothing; then the code is empty
	switch answer.Error.Code {
	case "E404", "ETARGET":
		return fault.Wrap(err, fault.Invalid, "npm knows no such package, or no such version of it or of what it needs")
	case "E401", "E403", "ENEEDAUTH":
		return fault.Wrap(err, fault.Invalid, "the npm registry does not let us have the package")
	case "EINTEGRITY":
		return fault.Wrap(err, fault.Invalid, "what the npm registry sent is not what it announced")
	case "EALLOWGIT", "EALLOWREMOTE", "EALLOWFILE", "EALLOWDIRECTORY":
		return fault.Wrap(err, fault.Invalid, "the package needs something that does not come from a registry")
	case "":
		return fault.Wrap(err, fault.Upstream, "npm failed")
	}
	return fault.Wrap(err, fault.Upstream, "npm failed: %s", code(answer.Error.Code))
}

// code lets an error code through and nothing else.
func code(text string) string {
	for _, r := range text {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' {
			return "without a code"
		}
	}
	return text[:min(len(text), 40)]
}
