package slack_test

import (
	"testing"

	"steward/internal/connector/connectortest"
	"steward/internal/connector/slack"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	connectortest.Conform(t, slack.New(), slack.Scopes()...)
}
