package secret_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"steward/internal/fault"
	"steward/internal/secret"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		` { "b" : 1 , "a" : [ true , null , "x" ] } `:         `{"a":[true,null,"x"],"b":1}`,
		`{"n":1.0,"m":1e5,"z":-0,"big":12345678901234567890}`: `{"big":12345678901234567890,"m":1e5,"n":1.0,"z":-0}`,
		`"\u003c\/\u0041\u000a\u001f\u2028"`:                  `"</A\n\u001f` + "\u2028" + `"`,
		`{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`:// RFC 8785 §3.2.3
		`{"\r":2,"1":4,"` + "\u0080" + `":6,"` + "ö" + `":7,"€":1,"😀":5,"` + "\ufb33" + `":3}`,
		`[]`: `[]`, `{}`: `{}`, `3`: `3`, `""`: `""`,
		`"\ud83d\ude00"`: `"😀"`, `"\\ud800"`: `"\\ud800"`,
	} {
		got, err := secret.Canonical(json.RawMessage(in))
		require.NoError(t, err, in)
		require.Equal(t, want, string(got))
	}
}

func TestCanonicalRefusesAmbiguity(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"empty": "", "two values": "1 2", "trailing": "{} x", "duplicate": `{"a":1,"a":2}`, "escaped duplicate": `{"a":1,"\u0061":1}`,
		"nested duplicate": `[{"x":{"b":1,"b":1}}]`, "invalid UTF-8": "\"\xff\"", "high alone": `"\ud800"`, "low alone": `"\udc00"`,
		"high then letter": `"\ud800a"`, "high then escape": `"\ud800\n"`, "two high": `"\ud800\ud800"`, "high in name": `{"\ud800":1}`,
		"comment": "/**/1", "NaN": "NaN", "leading zero": "01", "deep": strings.Repeat("[", 300) + strings.Repeat("]", 300),
	} {
		_, err := secret.Canonical(json.RawMessage(in))
		require.True(t, fault.Is(err, fault.Malformed), name)
	}
}

// Whatever order and spacing the sender chose, the digest is the same; another value has another one.
func TestDigestIgnoresOrderAndSpace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		object := rapid.MapOfN(rapid.String(), rapid.Int(), 1, 8).Draw(t, "object")
		compact, err := json.Marshal(object)
		require.NoError(t, err)
		indented, err := json.MarshalIndent(object, " ", "\t")
		require.NoError(t, err)
		one, err := secret.Canonical(compact)
		require.NoError(t, err)
		two, err := secret.Canonical(indented)
		require.NoError(t, err)
		require.Equal(t, secret.Digest(one), secret.Digest(two))
		again, err := secret.Canonical(one)
		require.NoError(t, err)
		require.Equal(t, string(one), string(again))

		for name := range object {
			object[name]++
			break
		}
		changed, err := json.Marshal(object)
		require.NoError(t, err)
		three, err := secret.Canonical(changed)
		require.NoError(t, err)
		require.NotEqual(t, secret.Digest(one), secret.Digest(three))
	})
	require.Equal(t, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", secret.Digest([]byte("{}")))
}
