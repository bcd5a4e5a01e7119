package dev

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// State tells other programs what runs, in run/stack.json of the data folder. It holds no secret. Process
// ids change when a part is restarted; the file follows within a second.
type State struct {
	PID      int       `json:"pid"` // of steward dev
	Started  time.Time `json:"started"`
	Ready    bool      `json:"ready"` // everything answered once
	API      Part      `json:"api"`
	Worker   Part      `json:"worker"`
	Model    Part      `json:"model"`    // zero: a real one is used
	Temporal Part      `json:"temporal"` // without process id: the caller's own
	UI       Part      `json:"ui"`       // of Temporal, in Temporal's process
	Postgres Part      `json:"postgres"` // without process id: the caller's own
}

// Part is one process. A process id of 0 means that it is between two lives or not ours.
type Part struct {
	PID     int    `json:"pid,omitempty"`
	Address string `json:"address,omitempty"` // host:port, or a URL where clients need one
	Debug   string `json:"debug,omitempty"`   // host:port of metrics and profiles
	Log     string `json:"log,omitempty"`     // file
}

// stateFile and the files beside it are valid while the process that wrote them lives.
func runFile(data, name string) string { return filepath.Join(data, "run", name) }

const (
	stateName      = "stack.json"
	databaseName   = "database.url"         // of the product's login: a secret, mode 0600
	migrationsName = "migrate-database.url" // of the tables' owner: a secret, mode 0600
)

// ReadState reads what runs on a data folder; false if nothing does.
func ReadState(data string) (State, bool) {
	var s State
	doc, err := os.ReadFile(runFile(data, stateName))
	if err != nil || json.Unmarshal(doc, &s) != nil || !alive(s.PID) {
		return State{}, false
	}
	return s, true
}

func alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

func (s State) write(data string) error {
	doc, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return writePrivate(runFile(data, stateName), append(doc, '\n'))
}

// writePrivate replaces a file at once: readers see the old content or the new.
func writePrivate(path string, content []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // made with 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone already after the rename
	_, err = temp.Write(content)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

// removeState forgets what ran.
func removeState(data string) error {
	var failures []error
	for _, name := range []string{stateName, databaseName, migrationsName} {
		if err := os.Remove(runFile(data, name)); !errors.Is(err, os.ErrNotExist) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}
