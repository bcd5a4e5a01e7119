package secret_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
	"steward/internal/secret"
)

// No token but our own opens, whatever arrives; nothing panics.
func FuzzOpen(f *testing.F) {
	ring := newRing(f)
	good, err := ring.Seal(alice, []byte("value"))
	require.NoError(f, err)
	f.Add([]byte(""))
	f.Add([]byte("gAAAAA"))
	f.Add(bytes.Repeat([]byte("gAAA"), 40))
	f.Add(good)
	_, unmarked := secret.SealedBy(good)
	f.Add(unmarked)
	f.Fuzz(func(t *testing.T, token []byte) {
		_, err := ring.Open(alice, token)
		require.Equal(t, bytes.Equal(token, good) || bytes.Equal(token, unmarked), err == nil)
		if err != nil {
			require.True(t, fault.Is(err, fault.Internal))
		}
	})
}

// Canonical output is valid, stable, and means what the input meant.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{`{}`, `{"b":1,"a":[1.0,"\ud83d\ude00"]}`, `"\ud800"`, `{"a":1,"a":2}`, "\"\xff\"", `[[[[`, `-0e5`, "1 2"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := secret.Canonical(raw)
		if err != nil {
			require.True(t, fault.Is(err, fault.Malformed))
			return
		}
		again, err := secret.Canonical(out)
		require.NoError(t, err)
		require.Equal(t, string(out), string(again))
		require.Equal(t, decode(t, raw), decode(t, out))
	})
}

func decode(t *testing.T, raw []byte) (value any) {
	t.Helper()
	in := json.NewDecoder(bytes.NewReader(raw))
	in.UseNumber()
	require.NoError(t, in.Decode(&value))
	return value
}

// Known values never survive, valid JSON stays valid, and a second pass finds nothing new.
func FuzzRedactor(f *testing.F) {
	const value = "Zq7-canary-value"
	for _, seed := range []string{
		value, `{"password":"x","a":"` + value + `"}`, "-----BEGIN PRIVATE KEY-----", "Bearer " + value, "a://b@c", `token=\"x\"`,
		"Basic Og==", "eyJaaaaaaaaa.bbbbbbbbbbbb.c", "=:=:", `{"token":1e5}`,
	} {
		f.Add([]byte(seed))
	}
	r := secret.NewRedactor(secret.New(value))
	f.Fuzz(func(t *testing.T, raw []byte) {
		require.NotContains(t, r.Text(string(raw)), value)
		require.NotContains(t, r.Exact().Text(string(raw)), value)
		out := r.JSON(raw)
		require.True(t, json.Valid(out), "%s", out)
		require.NotContains(t, string(out), value)
		require.Equal(t, string(out), string(r.JSON(out)), "a second pass changes nothing")
		preview := r.Preview(raw, 500)
		require.True(t, json.Valid(preview))
		require.LessOrEqual(t, len(preview), 500)
		require.NotContains(t, string(preview), value)
	})
}
