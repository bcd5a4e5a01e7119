package addressee_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/tool/addressee"
)

func TestKnown(t *testing.T) {
	t.Parallel()
	allowed, err := addressee.Allow([]string{"ceo@corp.test", "@team.test", "hooks.corp.test", " bücher.example "})
	require.NoError(t, err)
	known := allowed.With("Send it to Boss <boss@Example.com>, post to #finance-team and https://api.example.com/v1.", []string{"me@gmail.test"})
	for arguments, want := range map[string]bool{
		`{"to":"boss@example.com"}`:                       true,
		`{"to":"BOSS@EXAMPLE.COM."}`:                      true,
		`{"to":"boss+x@example.com"}`:                     false,
		`{"to":"boss@exаmple.com"}`:                       false,
		`{"to":"bоss@example.com"}`:                       false,
		`{"to":"boss@example.com.evil.example"}`:          false,
		`{"to":"boss@example.com%2eevil.example"}`:        false,
		`{"to":"xboss@example.com"}`:                      false,
		`{"to":"other@example.com"}`:                      false,
		`{"to":"me@gmail.test"}`:                          true,
		`{"to":"ceo@corp.test"}`:                          true,
		`{"to":"anybody@team.test"}`:                      true,
		`{"to":"anybody@sub.team.test"}`:                  false,
		`{"to":"anybody@corp.test"}`:                      false,
		`{"url":"https://hooks.corp.test/x"}`:             true,
		`{"url":"https://corp.test/x"}`:                   false,
		`{"url":"https://BÜCHER.example"}`:                true,
		`{"url":"https://api.example.com/other"}`:         true,
		`{"url":"https://example.com"}`:                   false,
		`{"url":"https://x.api.example.com"}`:             false,
		`{"url":"https://api.example.com@evil.example/"}`: false,
		`{"channel":"#finance-team"}`:                     true,
		`{"channel":"finance"}`:                           false,
		`{"channel":"to"}`:                                false,
	} {
		all := addressee.InArguments([]byte(arguments), nil)
		require.NotEmpty(t, all, arguments)
		ok := true
		for _, a := range all {
			ok = ok && known.Has(a)
		}
		require.Equal(t, want, ok, "%s: %v", arguments, all)
	}
	require.True(t, known.Names("https://api.example.com/v1"))
	require.False(t, known.Names("https://api.example.com/v2"))
}

func TestAllowRefusesWhatMeansNothing(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{"", "@", "a b", "https://x.test/", "x@", "a@b@c d"} {
		_, err := addressee.Allow([]string{entry})
		require.Error(t, err, entry)
	}
}
