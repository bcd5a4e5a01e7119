package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/config"
)

func TestWhoHostsTools(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cfg  config.Model
		want bool
	}{
		"OpenAI, without a key in this process": {config.Model{}, true},
		"Azure":                                 {config.Model{BaseURL: "https://res.openai.azure.com/openai/v1"}, true},
		"a compatible server":                   {config.Model{BaseURL: "http://127.0.0.1:1/v1"}, false},
		"the same, corrected":                   {config.Model{BaseURL: "http://127.0.0.1:1/v1", Features: []string{"hosted_mcp"}}, true},
		"OpenAI, turned off":                    {config.Model{Features: []string{"-hosted_mcp"}}, false},
	} {
		got, err := hostsTools(tc.cfg)
		require.NoError(t, err, name)
		require.Equal(t, tc.want, got, name)
	}
}
