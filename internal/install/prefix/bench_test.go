package prefix_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/install/prefix"
)

// BenchmarkVerify is over a folder like that of a server with 99 packages: 3,700 files, 29 MB.
func BenchmarkVerify(b *testing.B) {
	folder := b.TempDir()
	content := strings.Repeat("const x = 1;\n", 29_000_000/3700/13)
	for i := range 3700 {
		put(b, folder, fmt.Sprintf("node_modules/p%d/dist/f%d.js", i/37, i%37), content)
	}
	integrity, err := prefix.Digest(b.Context(), folder)
	require.NoError(b, err)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, prefix.NewVerifier().Verify(b.Context(), folder, integrity))
		}
	})
	b.Run("again", func(b *testing.B) {
		v := prefix.NewVerifier()
		require.NoError(b, v.Verify(b.Context(), folder, integrity))
		for b.Loop() {
			require.NoError(b, v.Verify(b.Context(), folder, integrity))
		}
	})
}
