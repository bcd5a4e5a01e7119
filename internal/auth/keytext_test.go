package auth

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeyText(t *testing.T) {
	t.Parallel()
	id, key, err := newKeyText()
	require.NoError(t, err)
	text := key.Reveal()
	require.Regexp(t, `^mk_[a-z2-7]{12}_[A-Za-z0-9_-]{43}[0-9a-f]{8}$`, text)
	got, err := parseKeyText(text)
	require.NoError(t, err)
	require.Equal(t, id, got)

	for i := range text { // every typing error of one character is found without the database
		for _, c := range []string{"A", "b", "_", "'"} {
			wrong := text[:i] + c + text[i+1:]
			_, err := parseKeyText(wrong)
			require.Equal(t, wrong == text, err == nil, wrong)
		}
	}
	for _, wrong := range []string{"", "mk_", text + " ", " " + text, text[:len(text)-1], strings.ToUpper(text), text + text} {
		_, err := parseKeyText(wrong)
		require.Error(t, err, wrong)
	}
}

func FuzzParseKeyText(f *testing.F) {
	_, key, err := newKeyText()
	require.NoError(f, err)
	f.Add(key.Reveal())
	f.Add("mk_aaaaaaaaaaaa_" + strings.Repeat("A", 43) + "00000000")
	f.Add("mk_' OR 1=1 --")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := parseKeyText(text)
		if err != nil {
			require.Empty(t, id)
			return
		}
		require.Len(t, id, idLength)
		require.Empty(t, strings.Trim(id, idAlphabet))
		require.True(t, strings.HasPrefix(text, keyPrefix+id+"_"))
		require.Equal(t, checksum(text[:keyLength-sumLength]), text[keyLength-sumLength:])
	})
}
