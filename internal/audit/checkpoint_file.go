package audit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// fileEntry is one line of the checkpoint file: JSON, so that a log shipper takes it as it is.
type fileEntry struct {
	ID   int64     `json:"id"` // in audit_checkpoints
	At   time.Time `json:"at"`
	Note string    `json:"note"`
}

// appendCheckpoint adds a line and makes it durable.
func appendCheckpoint(path string, e fileEntry) (err error) {
	if path == "" {
		return nil
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode checkpoint: %w", err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // the operator's own setting
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(append(line, '\n')); err != nil {
		return err
	}
	return f.Sync()
}

// readCheckpoints reads the file. A last line without its end is a crash during the write and is left out.
func readCheckpoints(r io.Reader) ([]fileEntry, error) {
	var entries []fileEntry
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		var e fileEntry
		if json.Unmarshal(line, &e) != nil {
			return nil, fmt.Errorf("line %d is not a checkpoint", len(entries)+1)
		}
		entries = append(entries, e)
	}
}
