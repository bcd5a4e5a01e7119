package gmail

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestInSeconds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 15, 0, 0, 0, time.UTC)
	for query, want := range map[string]string{
		"":                                   "",
		"invoice from:a@b.example":           "invoice from:a@b.example",
		"newer_than:7d":                      "after:1794668400",
		"invoice NEWER_THAN:1m":              "invoice after:1792594800",
		"-older_than:1y x":                   "-before:1763737200 x",
		"after:2026/11/14":                   "after:1794614399",
		"after:2026-11-14 before:2026/11/22": "after:1794614399 before:1795305600",
		"newer:2026/1/2 older:2026/1/3":      "after:1767311999 before:1767398400",
		`"newer_than:7d" subject:"after:2026/11/14"`: `"newer_than:7d" subject:"after:2026/11/14"`,
		"after:1794614400":                           "after:1794614400",
		"newer_than:7h":                              "newer_than:7h",
		"newer_than:12345d":                          "newer_than:12345d",
		"after:2026/13/45":                           "after:2026/13/45",
		"xnewer_than:7d":                             "xnewer_than:7d",
	} {
		require.Equal(t, want, inSeconds(query, now), query)
	}
}
