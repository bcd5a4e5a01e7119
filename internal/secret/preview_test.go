package secret_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"steward/internal/secret"
)

func TestPreview(t *testing.T) {
	t.Parallel()
	r := secret.NewRedactor(secret.New(canary))
	in := `{"to":"bob@example.org","n":1.50,"body":"` + strings.Repeat("ü", 250) + `","password":{"a":1},"token":null,"x":["` + canary + `"]}`
	want := `{"body":"` + strings.Repeat("ü", 200) + `… [50 more characters]","n":1.50,"password":"[redacted]","to":"bob@example.org","token":null,"x":["[redacted]"]}`
	require.Equal(t, want, string(r.Preview(json.RawMessage(in), 4096)))
}

func TestPreviewShrinksUntilItFits(t *testing.T) {
	t.Parallel()
	var r secret.Redactor
	rows := strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("row ", 30)+`",`, 500), ",")
	for _, limit := range []int{0, 64, 300, 1000, 5000, 1 << 20} {
		out := r.Preview(json.RawMessage("["+rows+"]"), limit)
		require.LessOrEqual(t, len(out), max(limit, 64))
		require.True(t, json.Valid(out))
	}
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	require.Contains(t, string(r.Preview(json.RawMessage(deep), 1000)), "nested too deeply")
	require.Equal(t, `"not json password=[redacted]"`, string(r.Preview(json.RawMessage("not json password=x"), 1000)))
	require.Equal(t, `"{} {}"`, string(r.Preview(json.RawMessage("{} {}"), 1000)))
}

func TestPreviewIsAlwaysValidAndSmall(t *testing.T) {
	t.Parallel()
	var r secret.Redactor
	rapid.Check(t, func(t *rapid.T) {
		raw, err := json.Marshal(rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.String())).Draw(t, "value"))
		require.NoError(t, err)
		limit := rapid.IntRange(64, 2000).Draw(t, "limit")
		out := r.Preview(raw, limit)
		require.True(t, json.Valid(out))
		require.True(t, utf8.Valid(out))
		require.LessOrEqual(t, len(out), limit)
	})
}
