package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/config"
)

func TestSlack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		vars  map[string]string
		wrong string
	}{
		"none":         {map[string]string{}, ""},
		"registered":   {map[string]string{"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "s"}, ""},
		"no secret":    {map[string]string{"SLACK_CLIENT_ID": "1.2"}, "SLACK_CLIENT_SECRET"},
		"emulator":     {map[string]string{"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "s", "STEWARD_SLACK_API_URL": "http://127.0.0.1:4001"}, ""},
		"API in clear": {map[string]string{"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "s", "STEWARD_SLACK_API_URL": "http://slack.example"}, "STEWARD_SLACK_API_URL"},
	} {
		_, err := config.Load(lookup(t, c.vars))
		if c.wrong == "" {
			require.NoError(t, err, name)
			continue
		}
		require.Equal(t, []string{c.wrong}, locations(t, err), name)
	}
}
