//go:build unix && !linux

package process

import (
	"context"
	"io"
)

// Become does nothing here: only Linux confines children through a wrapper.
func Become() {}

// Examine says, in words for an admin, what is not taken away from children here.
func Examine(context.Context) ([]string, error) { return []string{unconfined}, nil }

const unconfined = "confinement: children are confined on Linux alone"

// startConfined starts the child in its own group and folder, with its own environment, and says that this is all.
func startConfined(ctx context.Context, spec *Spec, stderr io.Writer, cleanup func()) (*Process, error) {
	p, err := startPlain(ctx, spec, stderr, cleanup)
	if err == nil {
		p.missing = []string{unconfined}
	}
	return p, err
}
