package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/secret"
)

const canary = "CANARY-correct-horse"

// T-33: no way of printing shows the value.
func TestStringNeverPrints(t *testing.T) {
	t.Parallel()
	s := secret.New(canary)
	type exported struct{ Secret secret.String }
	type hidden struct{ secret secret.String }
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T%v", "%10.3s", "%!"}
	values := []any{s, &s, exported{s}, &exported{s}, hidden{s}, []secret.String{s}, map[string]secret.String{"a": s}}
	for _, verb := range verbs {
		for _, v := range values {
			out := fmt.Sprintf(verb, v)
			require.NotContains(t, out, "CANARY", "%s of %T", verb, v)
			require.NotContains(t, out, fmt.Sprintf("%x", canary[:6]), "%s of %T", verb, v)
		}
	}
	require.Equal(t, "***", fmt.Sprint(s))
	require.Equal(t, "***", s.String())
	require.Equal(t, "***", s.GoString())

	out, err := json.Marshal(exported{s})
	require.NoError(t, err)
	require.JSONEq(t, `{"Secret":"***"}`, string(out))

	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("m", "secret", s, "struct", exported{s}, "ptr", &s)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "secret", s, "struct", exported{s}, "ptr", &s)
	require.NotContains(t, log.String(), "CANARY")
	require.Contains(t, log.String(), "***")
}

func TestStringHoldsItsValue(t *testing.T) {
	t.Parallel()
	s := secret.New(canary)
	require.Equal(t, canary, s.Reveal())
	require.False(t, s.IsZero())
	require.True(t, secret.New("").IsZero())
	require.True(t, secret.String{}.IsZero())
	require.Empty(t, secret.String{}.Reveal())

	require.True(t, s.Equal(secret.New(canary)))
	require.False(t, s.Equal(secret.New(canary+"x")))
	require.False(t, s.Equal(secret.String{}))
	require.True(t, secret.String{}.Equal(secret.New("")))

	var in struct{ Secret secret.String }
	require.NoError(t, json.Unmarshal([]byte(`{"Secret":"`+canary+`"}`), &in))
	require.Equal(t, canary, in.Secret.Reveal())
}
