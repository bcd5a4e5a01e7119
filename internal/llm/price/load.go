package price

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"steward/internal/fault"
)

//go:embed builtin.yaml
var builtin []byte

// maxFile bounds a file of prices.
const maxFile = 1 << 20

// Load makes the built-in table, with the entries of a file before its own; an empty path is the built-in
// table alone. The file has the form of builtin.yaml. An error is a fault that names the entry, for the
// person who wrote the file.
func Load(path string) (*Table, error) {
	own, err := parse(builtin)
	if err != nil {
		return nil, fmt.Errorf("built-in prices: %w", err)
	}
	if path == "" {
		return newTable(own), nil
	}
	raw, err := read(path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "settings: STEWARD_MODEL_PRICES: the file cannot be read").WithCode("invalid_settings")
	}
	first, err := parse(raw)
	if err != nil {
		return nil, fault.New(fault.Invalid, "settings: STEWARD_MODEL_PRICES: %s", err.Error()).WithCode("invalid_settings")
	}
	return newTable(own, first), nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(raw) > maxFile {
		return nil, fmt.Errorf("longer than %d bytes", maxFile)
	}
	return raw, err
}

// newTable lays files over each other: a name in a later one replaces the same name in an earlier one.
func newTable(files ...*file) *Table {
	t := &Table{exact: map[string]*model{}, dated: map[string]*model{}}
	digest, newest := sha256.New(), ""
	for _, f := range files {
		digest.Write(f.raw)
		newest = max(newest, f.newest)
		for _, e := range f.Models {
			for _, name := range e.Names {
				t.exact[name] = e.model
				delete(t.dated, name) // a file that prices a name again says itself whether it has snapshots
			}
			for _, name := range e.Dated {
				t.dated[name] = e.model
			}
		}
	}
	t.version = strings.Join([]string{newest, hex.EncodeToString(digest.Sum(nil)[:4])}, "-")
	return t
}
