package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/mod/sumdb/note"

	"steward/internal/secret"
)

// AuditKeyName is the name under which checkpoints of the audit log are signed.
const AuditKeyName = "steward-audit"

// generated lists the keys that a new installation needs, in the order of the file.
var generated = []struct {
	name string
	make func() (string, error)
}{
	{"FERNET_KEYS", NewKey},
	{"STEWARD_CODEC_KEYS", NewKey},
	{"STEWARD_SIGNING_KEY", NewKey},
	{"STEWARD_API_KEY_PEPPER", NewKey},
	{"STEWARD_AUDIT_KEY", newAuditKey},
}

// NewKey makes 256 random bits in URL-safe base64: a Fernet key, a signing seed or a pepper.
func NewKey() (string, error) {
	raw := make([]byte, secret.KeyBytes)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	return base64.URLEncoding.EncodeToString(raw), nil
}

func newAuditKey() (string, error) {
	private, _, err := note.GenerateKey(rand.Reader, AuditKeyName)
	return private, err
}

// GenerateKeys adds to the file at path the keys that are not in it, making the file (0600) and its
// folder (0700) if need be. Existing lines stay as they are. The file is replaced at once or not at all,
// and two processes that generate together end with the same keys.
func GenerateKeys(path string) error {
	return editKeys(path, func(lines []string) ([]string, error) {
		have := parseKeys(lines)
		for _, key := range generated {
			if have[key.name] != "" {
				continue
			}
			value, err := key.make()
			if err != nil {
				return nil, fmt.Errorf("make %s: %w", key.name, err)
			}
			lines = append(lines, key.name+"="+value)
		}
		return lines, nil
	})
}

// editKeys rewrites the file under a lock of its own: the file itself is replaced by the edit and
// cannot carry one.
func editKeys(path string, edit func(lines []string) ([]string, error)) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make folder of keys: %w", err)
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator's data folder
	if err != nil {
		return fmt.Errorf("open lock of keys: %w", err)
	}
	defer func() { _ = lock.Close() }() // releases the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock keys: %w", err)
	}
	lines, err := keyLines(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	edited, err := edit(slices.Clone(lines))
	if err != nil || slices.Equal(edited, lines) {
		return err
	}
	return replaceFile(path, strings.Join(edited, "\n")+"\n")
}

func replaceFile(path, content string) error {
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // made with 0600
	if err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone already after the rename
	_, err = temp.WriteString(content)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	return nil
}

// readKeys reads NAME=value lines; blank lines and # comments are skipped. It refuses what is not a
// regular file of which only its owner has any right.
func readKeys(path string) (map[string]string, error) {
	lines, err := keyLines(path)
	return parseKeys(lines), err
}

func keyLines(path string) ([]string, error) {
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		return nil, errors.New("cannot be read")
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file")
	case info.Mode().Perm()&0o077 != 0:
		return nil, errors.New("is open to others than its owner: set its mode to 0600")
	}
	content, err := os.ReadFile(path) //nolint:gosec // the operator's data folder
	if err != nil {
		return nil, errors.New("cannot be read")
	}
	return strings.Split(strings.TrimRight(string(content), "\n"), "\n"), nil
}

func parseKeys(lines []string) map[string]string {
	keys := map[string]string{}
	for _, line := range lines {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(name, "#") {
			keys[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return keys
}
