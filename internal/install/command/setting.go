package command

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// folders are the settings whose values may be folders that a package manager reads.
var folders = []string{"SSL_CERT_DIR", "PIP_FIND_LINKS", "FIND_LINKS"}

// Settings are the operator's settings as files to be read: those files themselves, and what they and the variables of
// environ name, such as certificates. Only single files are taken, and folders of certificates and of wheels: the rest
// may be anybody's.
func Settings(environ []string, files ...string) []string {
	var out []string
	for _, entry := range environ {
		out = append(out, named(entry)...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // G304: the operator's own
		if err != nil || !regular(file) {
			continue
		}
		out = append(out, file)
		for line := range strings.Lines(string(text)) {
			out = append(out, named(line)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// named is what one setting, "name = value", names.
func named(setting string) []string {
	name, value, _ := strings.Cut(setting, "=")
	name = strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(name), "-", "_"))
	var out []string
	for path := range strings.FieldsSeq(value) {
		path = strings.Trim(path, `"'`)
		if !filepath.IsAbs(path) {
			continue
		}
		if info, err := os.Stat(path); err == nil && (info.Mode().IsRegular() || info.IsDir() && slices.Contains(folders, name)) {
			out = append(out, path)
		}
	}
	return out
}

func regular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
