// Command verify holds the lists of settings in README.md and .env.example to the one in internal/config.
// With -write it brings them up to date. It runs in the repository's root.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"

	"steward/internal/config"
)

// document is a committed file of which one part is generated.
type document struct {
	path       string
	begin, end string // lines around the part
	part       func([]config.Row) string
}

func documents() []document {
	return []document{
		{"README.md", "<!-- settings: written by make generate -->\n", "<!-- end of settings -->\n", table},
		{".env.example", "# --- settings: written by make generate\n", "# --- end of settings\n", environment},
	}
}

func main() {
	write := flag.Bool("write", false, "bring the files up to date")
	flag.Parse()
	var failures []error
	for _, doc := range documents() {
		failures = append(failures, doc.verify(*write))
	}
	if err := errors.Join(failures...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// verify compares the file with what it should be, and writes that if asked to.
func (d document) verify(write bool) error {
	old, err := os.ReadFile(d.path)
	if err != nil {
		return fmt.Errorf("verify settings: %w", err)
	}
	current, err := d.renew(old)
	switch {
	case err != nil:
		return err
	case bytes.Equal(old, current):
		return nil
	case !write:
		return fmt.Errorf("%s is not what internal/config says: run make generate", d.path)
	}
	if err := os.WriteFile(d.path, current, 0o644); err != nil { //nolint:gosec // G306: a file of the repository
		return fmt.Errorf("write settings: %w", err)
	}
	return nil
}

// renew puts the part between its marks.
func (d document) renew(old []byte) ([]byte, error) {
	head, rest, begun := bytes.Cut(old, []byte(d.begin))
	_, tail, ended := bytes.Cut(rest, []byte(d.end))
	if !begun || !ended {
		return nil, fmt.Errorf("%s has lost the marks around its settings: %q and %q", d.path, d.begin, d.end)
	}
	return fmt.Appendf(nil, "%s%s%s%s%s", head, d.begin, d.part(config.Table()), d.end, tail), nil
}
