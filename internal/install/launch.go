package install

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"steward/internal/automation"
	"steward/internal/install/python"
	"steward/internal/registry"
	"steward/internal/store"
)

// isolated are the options that Python starts a server with: no settings from the environment, nothing from the
// working folder, and no bytecode written beside sealed files.
var isolated = []string{"-I", "-B"}

func pythonEntry(folder, module string) ([]string, error) { return python.Entry(folder, module) }

// askedFor is what the package's row keeps of the request.
func askedFor(row *store.Package) (asked, error) {
	var want asked
	if err := json.Unmarshal(row.Request, &want); err != nil {
		return want, fmt.Errorf("decode request: %w", err)
	}
	return want, nil
}

// server is what is registered for a package that was built, with its own settings: the whole argv, without npx, which
// would look for a newer version and download it.
func (i *Installer) server(row *store.Package, built automation.PackageBuilt) (registry.Server, settings, error) {
	s, err := openSettings(i.ring, row.ServerName, row.SettingsSealed)
	if err != nil {
		return registry.Server{}, s, err
	}
	want, err := askedFor(row)
	if err != nil {
		return registry.Server{}, s, err
	}
	out := registry.Server{
		Name: row.ServerName, Transport: "stdio", Env: s.Env, Release: built.Version, Disabled: !want.Enabled, Title: want.About.Title,
		Description: want.About.Description, WebsiteURL: want.About.WebsiteURL, EnvSchema: want.About.EnvSchema, Manifest: want.About.Manifest,
	}
	if row.ServerID != nil {
		out.ID, out.Env = *row.ServerID, nil // it keeps what it has
	}
	at := filepath.Join(i.opts.Folder, built.Folder)
	switch row.Runtime {
	case Remote:
		out.Transport, out.URL, out.Headers, out.Env = "http", want.URL, s.Headers, nil
	case Python:
		out.Command = filepath.Join(at, "bin", "python")
		out.Args = append(append(append(out.Args, isolated...), located(at, built.Entry)...), want.Args...)
	default:
		if out.Command, err = i.npm.Node(); err != nil {
			return out, s, err
		}
		out.Args = append(located(at, built.Entry), want.Args...)
	}
	return out, s, nil
}

// located makes the path of a script absolute; a module is found by its name.
func located(at string, entry []string) []string {
	if len(entry) == 1 {
		return []string{filepath.Join(at, filepath.FromSlash(entry[0]))}
	}
	return entry
}
