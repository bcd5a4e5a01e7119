package python

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"steward/internal/fault"
)

// Lock is what a package needs, itself first.
type Lock []Package

// Package is one wheel.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	SHA256  string `json:"sha256"` // in hexadecimal
}

var (
	hexadecimal = regexp.MustCompile(`^[0-9a-f]{64}$`)
	separators  = regexp.MustCompile(`[-_.]+`)
)

// normal is the form in which names are compared (PyPA, "Name normalization").
func normal(name string) string { return strings.ToLower(separators.ReplaceAllString(name, "-")) }

// readReport reads pip's installation report, version 1. What pip says of addresses stays behind.
func readReport(report []byte, name string) (Lock, error) {
	var doc struct {
		Version string `json:"version"`
		Install []struct {
			Download struct {
				Archive struct {
					Hashes struct {
						SHA256 string `json:"sha256"`
					} `json:"hashes"`
				} `json:"archive_info"`
			} `json:"download_info"`
			Direct   bool `json:"is_direct"`
			Metadata struct {
				Name    string `json:"name"`
				Version string `json:"version"`
			} `json:"metadata"`
		} `json:"install"`
	}
	if err := json.Unmarshal(report, &doc); err != nil || doc.Version != "1" {
		return nil, fault.Wrap(err, fault.Upstream, "pip's report on the package cannot be read")
	}
	lock := Lock{}
	for _, in := range doc.Install {
		p := Package{Name: in.Metadata.Name, Version: in.Metadata.Version, SHA256: in.Download.Archive.Hashes.SHA256}
		if CheckName("", p.Name) != nil || CheckVersion("", p.Version) != nil {
			return nil, fault.New(fault.Invalid, "the package needs something whose name or version is none")
		}
		if in.Direct || !hexadecimal.MatchString(p.SHA256) {
			return nil, fault.New(fault.Invalid, "%s does not come from a package index with a hash", p.Name)
		}
		lock = append(lock, p)
	}
	own := slices.IndexFunc(lock, func(p Package) bool { return normal(p.Name) == normal(name) })
	if own < 0 {
		return nil, fault.New(fault.Upstream, "pip's report does not name the package")
	}
	lock[0], lock[own] = lock[own], lock[0]
	return lock, nil
}
