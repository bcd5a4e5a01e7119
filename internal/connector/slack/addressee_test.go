package slack_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/tool/addressee"
)

// A channel that the instructions name needs nobody's approval; every other one does.
func TestChannelsAreAddressees(t *testing.T) {
	t.Parallel()
	nobody, err := addressee.Allow(nil)
	require.NoError(t, err)
	known := nobody.With("Post the total in #ad-reports every Monday, and errors in C0123ABCD. Ask in general terms.", nil)
	for channel, may := range map[string]bool{
		"#ad-reports": true, "ad-reports": true, "#Ad-Reports": true, "C0123ABCD": true,
		"#ad": false, "reports": false, "#general": false, "#random": false, "C0123ABCE": false, "#ad-reports,#random": false,
	} {
		arguments, err := json.Marshal(map[string]string{"channel": channel, "text": "see https://evil.example"})
		require.NoError(t, err)
		found := addressee.InArguments(arguments, toolNamed(t, "SLACK_POST_MESSAGE").Addressees)
		require.NotEmpty(t, found)
		all := true
		for _, a := range found {
			all = all && known.Has(a)
		}
		require.Equal(t, may, all, "%s: %v", channel, found)
	}
}
