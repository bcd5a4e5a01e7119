package audit

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"
)

// TestHeadLogIsATlog compares every size with the tree of the library, which keeps all hashes.
func TestHeadLogIsATlog(t *testing.T) {
	t.Parallel()
	var (
		log    headLog
		stored []tlog.Hash
	)
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	require.Equal(t, tlog.Hash{}, log.root())
	for n := range int64(300) {
		record := fmt.Appendf(nil, "run/%d 7 aGVhZA==\n", n)
		hashes, err := tlog.StoredHashes(n, record, reader)
		require.NoError(t, err)
		stored = append(stored, hashes...)
		log.add(record)
		want, err := tlog.TreeHash(n+1, reader)
		require.NoError(t, err)
		require.Equal(t, want, log.root(), "size %d", n+1)
		require.Equal(t, n+1, log.size)
		require.LessOrEqual(t, len(log.roots), 9)
	}
}
