package process

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStartsLeaveNothingBehind(t *testing.T) { //nolint:paralleltest // counts what this process has: it must be alone
	s := newSite(t)
	spec := s.spec(Sandbox{})
	run := func() {
		p, err := Start(t.Context(), spec, io.Discard)
		require.NoError(t, err)
		p.Close()
		_ = p.Wait() // it found no question
		<-p.drained
	}
	run()
	descriptors, processes := entries(t, "/proc/self/fd"), children(t)
	for range 100 {
		run()
	}
	require.LessOrEqual(t, entries(t, "/proc/self/fd"), descriptors)
	require.LessOrEqual(t, children(t), processes)
}

func entries(t *testing.T, dir string) int {
	t.Helper()
	found, err := os.ReadDir(dir)
	require.NoError(t, err)
	return len(found)
}

// children counts our own, zombies included.
func children(t *testing.T) int {
	t.Helper()
	found := map[string]bool{}
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	require.NoError(t, err)
	for _, task := range tasks {
		pids, err := os.ReadFile(task)
		if err == nil { // a thread may have ended
			for pid := range strings.FieldsSeq(string(pids)) {
				found[pid] = true
			}
		}
	}
	return len(slices.Collect(maps.Keys(found)))
}
