package prefix

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"sync"
)

// Verifier compares folders with what they were sealed as. It is safe for concurrent use. A folder whose files
// are as they were when they were last read is not read again: that costs a walk over their metadata.
type Verifier struct {
	mu     sync.Mutex
	sealed map[string]*sealed // by folder
}

// sealed is what is known of one folder. Its lock is held while the folder is read, so that ten starts at once
// read it once.
type sealed struct {
	mu     sync.Mutex
	digest string
	seen   states
}

// NewVerifier makes one that knows no folder.
func NewVerifier() *Verifier { return &Verifier{sealed: map[string]*sealed{}} }

// Verify returns ErrChanged or ErrForeign if folder is not what integrity, an answer of Digest, stands for. Whoever
// can write to a folder can do so after it was verified too: it is the sandbox that keeps a child from it.
func (v *Verifier) Verify(ctx context.Context, folder, integrity string) error {
	known := v.of(folder)
	known.mu.Lock()
	defer known.mu.Unlock()
	if known.seen != nil {
		now, err := look(ctx, folder)
		if err != nil {
			return err
		}
		if !maps.Equal(now, known.seen) {
			known.seen = nil
		}
	}
	if known.seen == nil {
		digest, seen, err := seal(ctx, folder)
		if err != nil {
			return err
		}
		known.digest, known.seen = digest, seen
	}
	if known.digest != integrity {
		return fmt.Errorf("verify package folder: %w", ErrChanged)
	}
	return nil
}

// Forget drops what is known of a folder that is gone.
func (v *Verifier) Forget(folder string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.sealed, folder)
}

func (v *Verifier) of(folder string) *sealed {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.sealed[folder] == nil {
		v.sealed[folder] = &sealed{}
	}
	return v.sealed[folder]
}

// look reads the metadata of everything below folder.
func look(ctx context.Context, folder string) (states, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open package folder: %w", err)
	}
	defer func() { _ = root.Close() }()
	now := states{}
	err = walk(ctx, root, func(name string, info fs.FileInfo) error {
		now[name] = stateOf(info)
		return nil
	})
	return now, err
}
