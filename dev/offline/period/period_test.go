package period_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/offline/period"
)

func TestFind(t *testing.T) {
	t.Parallel()
	saturday := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"mails from last week":              "from 2026-11-14 to 2026-11-21",
		"last week's invoices":              "from 2026-11-14 to 2026-11-21",
		"this week":                         "from 2026-11-16 to 2026-11-22",
		"next week":                         "from 2026-11-23 to 2026-11-29",
		"last month":                        "from 2026-10-01 to 2026-10-31",
		"this month":                        "from 2026-11-01 to 2026-11-30",
		"last year":                         "from 2025-01-01 to 2025-12-31",
		"this year":                         "from 2026-01-01 to 2026-12-31",
		"today":                             "from 2026-11-21 to 2026-11-21",
		"yesterday":                         "from 2026-11-20 to 2026-11-20",
		"tomorrow":                          "from 2026-11-22 to 2026-11-22",
		"the last 30 days":                  "from 2026-10-22 to 2026-11-21",
		"past 2 weeks":                      "from 2026-11-07 to 2026-11-21",
		"past 2 months":                     "from 2026-09-21 to 2026-11-21",
		"since 2026-11-01":                  "from 2026-11-01",
		"until 2026-11-01":                  "to 2026-10-31",
		"between 2026-11-01 and 2026-11-03": "from 2026-11-01 to 2026-11-03",
		"on 2026-11-05":                     "from 2026-11-05 to 2026-11-05",
		"between 2026-11-03 and 2026-11-01": "",
		"since 2026-13-41":                  "",
		"whenever":                          "",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			p, ok := period.Find(text, saturday)
			require.Equal(t, want != "", ok)
			if ok {
				require.Equal(t, want, p.String())
			}
		})
	}
}
