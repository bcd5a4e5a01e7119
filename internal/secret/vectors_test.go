package secret

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/fernet/fernet-go"
	"github.com/stretchr/testify/require"

	"steward/internal/fault"
)

// vector is a case of the Fernet specification (testdata/fernet/LICENSE).
type vector struct{ Desc, Token, Src, Secret string }

func vectors(t *testing.T, name string) []vector {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "fernet", name))
	require.NoError(t, err)
	var all []vector
	require.NoError(t, json.Unmarshal(raw, &all))
	require.NotEmpty(t, all)
	return all
}

func TestFernetVectors(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"generate.json", "verify.json"} {
		for _, v := range vectors(t, name) {
			got, err := decrypt([]byte(v.Token), fernet.MustDecodeKeys(v.Secret))
			require.NoError(t, err)
			require.Equal(t, v.Src, string(got))
		}
	}
}

func TestFernetInvalidVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t, "invalid.json") {
		t.Run(v.Desc, func(t *testing.T) {
			t.Parallel()
			got, err := decrypt([]byte(v.Token), fernet.MustDecodeKeys(v.Secret))
			switch v.Desc {
			// Only time is wrong with these two, and stored values have no lifetime.
			case "expired TTL", "far-future TS (unacceptable clock skew)":
				require.NoError(t, err)
				require.Empty(t, got, "their message is empty")
			default:
				require.Error(t, err)
				require.True(t, fault.Is(err, fault.Internal))
			}
		})
	}
}

// The key of the vectors is known to everybody.
func TestSpecKeyIsRefused(t *testing.T) {
	t.Parallel()
	_, err := NewRing(New(vectors(t, "verify.json")[0].Secret))
	require.Equal(t, CodeWeakKey, fault.CodeOf(err))
}

// A nil key makes the library panic; the boundary turns that into an error.
func TestPanicBecomesError(t *testing.T) {
	t.Parallel()
	token := vectors(t, "verify.json")[0].Token
	_, err := decrypt([]byte(token), []*fernet.Key{nil})
	require.Equal(t, CodeMalformed, fault.CodeOf(err))
}
