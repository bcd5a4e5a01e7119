package secret_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"steward/internal/fault"
	"steward/internal/secret"
)

func newKey(t testing.TB) string {
	t.Helper()
	raw := make([]byte, secret.KeyBytes)
	_, err := rand.Read(raw)
	require.NoError(t, err)
	return base64.URLEncoding.EncodeToString(raw)
}

func newRing(t testing.TB, keys ...string) *secret.Ring {
	t.Helper()
	if len(keys) == 0 {
		keys = []string{newKey(t)}
	}
	ring, err := secret.NewRing(secret.New(strings.Join(keys, ",")))
	require.NoError(t, err)
	return ring
}

var alice = secret.Binding{Owner: "alice", Purpose: "oauth", Ref: "credential/7"}

func TestSealOpen(t *testing.T) {
	t.Parallel()
	ring := newRing(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 40, -1)
		b := secret.Binding{Owner: text.Draw(t, "owner"), Purpose: text.Draw(t, "purpose"), Ref: text.Draw(t, "ref")}
		plain := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "plain"), rapid.IntRange(1, 60).Draw(t, "times"))
		token, err := ring.Seal(b, plain)
		require.NoError(t, err)
		got, err := ring.Open(b, token)
		require.NoError(t, err)
		require.True(t, bytes.Equal(plain, got))
	})
}

// T-35: a value moved to another owner, purpose or place does not open there.
func TestMovedValueDoesNotOpen(t *testing.T) {
	t.Parallel()
	ring := newRing(t)
	token, err := ring.Seal(alice, []byte(canary))
	require.NoError(t, err)
	for _, b := range []secret.Binding{
		{Owner: "mallory", Purpose: alice.Purpose, Ref: alice.Ref},
		{Owner: alice.Owner, Purpose: "env", Ref: alice.Ref},
		{Owner: alice.Owner, Purpose: alice.Purpose, Ref: "credential/8"},
		{Owner: alice.Owner, Purpose: alice.Purpose, Ref: "credential/77"},
		{Owner: "alic", Purpose: "eoauth", Ref: alice.Ref}, // same letters, other borders
		{},
	} {
		_, err := ring.Open(b, token)
		require.Equal(t, secret.CodeMisplaced, fault.CodeOf(err), "%+v", b)
		require.NotContains(t, err.Error(), "CANARY")
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"a", "b", "ab", "ba", "aab", "\x01a", "a\x01"})
		one := secret.Binding{Owner: text.Draw(t, "o1"), Purpose: text.Draw(t, "p1"), Ref: text.Draw(t, "r1")}
		two := secret.Binding{Owner: text.Draw(t, "o2"), Purpose: text.Draw(t, "p2"), Ref: text.Draw(t, "r2")}
		token, err := ring.Seal(one, []byte("x"))
		require.NoError(t, err)
		_, err = ring.Open(two, token)
		require.Equal(t, one == two, err == nil)
	})
}

func TestSealNeedsAWholeBinding(t *testing.T) {
	t.Parallel()
	for _, b := range []secret.Binding{{}, {Owner: "a", Purpose: "b"}, {Owner: "a", Ref: "c"}, {Purpose: "b", Ref: "c"}} {
		_, err := newRing(t).Seal(b, nil)
		require.Equal(t, secret.CodeUnsealable, fault.CodeOf(err))
	}
}

// Fernet-go ignores decoding errors, so several texts would open as one token.
func TestOnlyTheCanonicalTokenOpens(t *testing.T) {
	t.Parallel()
	ring := newRing(t)
	token, err := ring.Seal(alice, []byte("value"))
	require.NoError(t, err)
	text := string(token)
	for name, other := range map[string]string{
		"garbage behind": text + "%%%", "newline behind": text + "\n", "newline within": text[:10] + "\n" + text[10:],
		"carriage return": text[:10] + "\r" + text[10:], "space": text + " ", "no padding": strings.TrimRight(text, "="),
		"more padding": text + "====", "doubled": text + text, "empty": "", "half": text[:len(text)/2],
		"standard alphabet": strings.NewReplacer("-", "+", "_", "/").Replace(text) + "+===",
	} {
		_, err := ring.Open(alice, []byte(other))
		require.Error(t, err, name)
	}
	for i := range token { // every other character of the token breaks it
		changed := bytes.Clone(token)
		changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
		_, err := ring.Open(alice, changed)
		require.Error(t, err, "character %d", i)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	oldKey, freshKey := newKey(t), newKey(t)
	before, during, after := newRing(t, oldKey), newRing(t, freshKey, oldKey), newRing(t, freshKey)
	token, err := before.Seal(alice, []byte("value"))
	require.NoError(t, err)

	plain, err := during.Open(alice, token)
	require.NoError(t, err)
	require.Equal(t, "value", string(plain))
	_, err = after.Open(alice, token)
	require.Equal(t, secret.CodeNoKey, fault.CodeOf(err))

	renewed, changed, err := during.Reseal(token)
	require.NoError(t, err)
	require.True(t, changed)
	plain, err = after.Open(alice, renewed)
	require.NoError(t, err)
	require.Equal(t, "value", string(plain))
	_, err = after.Open(secret.Binding{Owner: "mallory", Purpose: "oauth", Ref: "1"}, renewed)
	require.Equal(t, secret.CodeMisplaced, fault.CodeOf(err), "the binding stays what it was")

	again, changed, err := during.Reseal(renewed)
	require.NoError(t, err)
	require.False(t, changed)
	require.Equal(t, renewed, again)

	_, _, err = after.Reseal(token)
	require.Equal(t, secret.CodeNoKey, fault.CodeOf(err))
	damaged := bytes.Clone(renewed)
	damaged[len(damaged)-8] ^= 1
	_, _, err = during.Reseal(damaged)
	require.Error(t, err, "what is damaged is told, also under the mark of the first key")

	require.Equal(t, after.KeyID(), during.KeyID())
	require.Equal(t, []string{after.KeyID(), before.KeyID()}, during.KeyIDs())
	require.Regexp(t, "^[0-9a-f]{8}$", during.KeyID())
}

// What was sealed before marks were opens, and a Reseal marks it.
func TestUnmarkedTokens(t *testing.T) {
	t.Parallel()
	oldKey, freshKey := newKey(t), newKey(t)
	for _, ring := range []*secret.Ring{newRing(t, oldKey), newRing(t, freshKey, oldKey)} {
		sealed, err := newRing(t, oldKey).Seal(alice, []byte("value"))
		require.NoError(t, err)
		_, bare := secret.SealedBy(sealed)
		plain, err := ring.Open(alice, bare)
		require.NoError(t, err)
		require.Equal(t, "value", string(plain))
		renewed, changed, err := ring.Reseal(bare)
		require.NoError(t, err)
		require.True(t, changed)
		id, _ := secret.SealedBy(renewed)
		require.Equal(t, ring.KeyID(), id)
	}
}

func TestSealedBy(t *testing.T) {
	t.Parallel()
	require.Len(t, secret.Mark("0123abcd"), secret.MarkBytes)
	for sealed, want := range map[string]string{
		"k1.0123abcd.gAAA": "0123abcd", "k1.0123abcd.": "0123abcd", "k1.0123ABCD.gAAA": "", "k1.0123abc.gAAAA": "",
		"k2.0123abcd.gAAA": "", "k1.0123abcx.gAAA": "", "gAAAAABn0123456789": "", "k1.": "", "": "",
	} {
		id, token := secret.SealedBy([]byte(sealed))
		require.Equal(t, want, id, sealed)
		if id == "" {
			require.Equal(t, sealed, string(token))
		} else {
			require.Equal(t, sealed, string(secret.Mark(id))+string(token))
		}
	}
}

// A mark is a label: a false one opens nothing.
func TestFalseMarksOpenNothing(t *testing.T) {
	t.Parallel()
	one, other := newKey(t), newKey(t)
	ring := newRing(t, one, other)
	sealed, err := ring.Seal(alice, []byte("value"))
	require.NoError(t, err)
	_, token := secret.SealedBy(sealed)
	for _, id := range []string{ring.KeyIDs()[1], "00000000"} {
		_, err = ring.Open(alice, append(secret.Mark(id), token...))
		require.Equal(t, secret.CodeNoKey, fault.CodeOf(err))
	}
}

// Values open and are sealed while the keys change under them.
func TestReload(t *testing.T) {
	t.Parallel()
	one, two := newKey(t), newKey(t)
	ring := newRing(t, one)
	first := ring.KeyID()
	sealed, err := ring.Seal(alice, []byte("value"))
	require.NoError(t, err)
	done := make(chan struct{})
	var users sync.WaitGroup
	for range 2 {
		users.Go(func() {
			for {
				own, err := ring.Seal(alice, []byte("own"))
				if err == nil {
					_, err = ring.Open(alice, own)
				}
				_, openErr := ring.Open(alice, sealed)
				if err = errors.Join(err, openErr); err != nil {
					t.Error(err)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range 200 {
		list := []string{one + "," + two, two + "," + one}[i%2]
		changed, err := ring.Reload(secret.New(list))
		require.NoError(t, err)
		require.True(t, changed)
		changed, err = ring.Reload(secret.New(list))
		require.NoError(t, err)
		require.False(t, changed)
	}
	close(done)
	users.Wait()
	require.NotEqual(t, first, ring.KeyID())

	before := ring.KeyIDs()
	_, err = ring.Reload(secret.New(one + ",short"))
	require.Equal(t, secret.CodeWeakKey, fault.CodeOf(err))
	require.Equal(t, before, ring.KeyIDs(), "a bad list changes nothing")
}

// T-36: no weak key is accepted, and no complaint repeats it.
func TestWeakKeysAreRefused(t *testing.T) {
	t.Parallel()
	encode := base64.URLEncoding.EncodeToString
	good := newKey(t)
	for name, list := range map[string]string{
		"empty": "", "letter": "a", "blank": " ", "not base64": strings.Repeat("!", 44), "zero": encode(make([]byte, 32)),
		"repeated byte": encode(bytes.Repeat([]byte{7}, 32)), "repeated word": encode(bytes.Repeat([]byte("changeme"), 4)),
		"short": encode([]byte("0123456789abcdefghijklmnopqrstu")), "long": encode([]byte("0123456789abcdefghijklmnopqrstuvw")),
		"hex": hex.EncodeToString(bytes.Repeat([]byte{1}, 32)), "trailing comma": good + ",", "twice": good + "," + good,
	} {
		_, err := secret.NewRing(secret.New(list))
		require.Equal(t, secret.CodeWeakKey, fault.CodeOf(err), name)
		require.True(t, fault.Is(err, fault.Invalid), name)
		require.NotContains(t, err.Error(), good)
	}
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(good)
	require.Equal(t, newRing(t, good).KeyID(), newRing(t, " "+strings.TrimRight(standard, "=")).KeyID())
}

func TestOverheadIsSmall(t *testing.T) {
	t.Parallel()
	ring := newRing(t)
	token, err := ring.Seal(alice, make([]byte, 100))
	require.NoError(t, err)
	require.Less(t, len(token), 300)
	long, err := ring.Seal(alice, bytes.Repeat([]byte(`{"text":"the same again"}`), 1000))
	require.NoError(t, err)
	require.Less(t, len(long), 1000, "repetitive content is compressed")
	random := make([]byte, 30_000)
	_, _ = rand.Read(random)
	noise, err := ring.Seal(alice, random)
	require.NoError(t, err)
	require.Less(t, len(noise), 40_400, "content that does not compress only grows by base64")
}
