package price

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
)

func table(t testing.TB) *Table {
	t.Helper()
	p, err := Load("")
	require.NoError(t, err)
	return p
}

func used(input, cached, output int64) automation.Usage {
	return automation.Usage{InputTokens: input, CachedTokens: cached, OutputTokens: output, Known: true}
}

func TestCost(t *testing.T) {
	t.Parallel()
	p := table(t)
	const million = 1_000_000
	for name, row := range map[string]struct {
		model, tier string
		usage       automation.Usage
		want        int64 // -1: unknown
	}{
		"a million each":           {"gpt-5-mini", "default", used(million, 0, million), 2_250_000},
		"dated snapshot":           {"gpt-5-mini-2025-08-07", "default", used(million, 0, 0), 250_000},
		"from the cache":           {"gpt-5-mini", "default", used(million, million, 0), 25_000},
		"half from the cache":      {"gpt-5-mini", "default", used(2*million, million, 0), 275_000},
		"no price for the cache":   {"o1-pro", "", used(10, 10, 0), 1500},
		"one token is rounded up":  {"gpt-5-nano", "", used(1, 0, 0), 1},
		"nothing":                  {"gpt-5-nano", "", used(0, 0, 0), 0},
		"no tier told":             {"gpt-5-mini", "", used(4, 0, 0), 1},
		"a server without tiers":   {"openai/gpt-5-mini", "auto", used(4, 0, 0), 1},
		"cheap tier":               {"gpt-5-mini", "flex", used(million, 0, million), 1_125_000},
		"dear tier":                {"gpt-5-mini", "priority", used(million, 0, million), 4_050_000},
		"tier that is not known":   {"gpt-5-mini", "ultrafast", used(1, 0, 1), -1},
		"tier the model lacks":     {"gpt-5-pro", "flex", used(1, 0, 1), -1},
		"writing to the cache":     {"gpt-6-sol", "default", used(100_000, 0, 0), 250_000},
		"up to the long input":     {"gpt-6-sol", "default", used(272_000, 272_000, million), 54_400 + 10_000_000},
		"long input":               {"gpt-6-sol", "default", used(272_001, 272_001, million), 108_801 + 15_000_000},
		"snapshot of a dated name": {"gpt-6-sol-2026-09-01", "", used(0, 0, million), 10_000_000},
		"offline model":            {automation.OfflineModel, "default", used(500, 0, 500), 0},
		"newer model":              {"gpt-5-mini-2", "", used(1, 0, 1), -1},
		"newer snapshot":           {"gpt-5-mini-2027-01-01", "", used(1, 0, 1), -1},
		"no day":                   {"gpt-6-sol-2026-9-1", "", used(1, 0, 1), -1},
		"longer name":              {"gpt-5-mini-2025-08-07-ft", "", used(1, 0, 1), -1},
		"other case":               {"GPT-5-mini", "", used(1, 0, 1), -1},
		"no name":                  {"", "", used(1, 0, 1), -1},
		"usage not known":          {"gpt-5-mini", "", automation.Usage{InputTokens: 5}, -1},
		"negative usage":           {"gpt-5-mini", "", used(-1, 0, 1), -1},
		"more cached than input":   {"gpt-5-mini", "", used(1, 2, 1), -1},
		"does not fit":             {"gpt-5-pro", "", used(math.MaxInt64, 0, math.MaxInt64), -1},
		"just fits":                {"gpt-5", "", used(0, 0, math.MaxInt64/10), math.MaxInt64 / 10 * 10},
	} {
		got, known := p.Cost(row.model, row.tier, row.usage)
		require.Equal(t, row.want >= 0, known, name)
		require.Equal(t, max(row.want, 0), got, name)
	}
}

func TestAtMostIsNeverLessThanCost(t *testing.T) {
	t.Parallel()
	p := table(t)
	for name := range p.exact {
		for _, input := range []int64{0, 1, 999, 271_999, 272_001, 900_000} {
			most, known := p.AtMost(name, input, 777)
			require.True(t, known, name)
			for _, cached := range []int64{0, input / 2, input} {
				cost, known := p.Cost(name, "default", used(input, cached, 777))
				require.True(t, known)
				require.LessOrEqual(t, cost, most, name)
			}
		}
	}
	_, known := p.AtMost("brand-new", 1, 1)
	require.False(t, known)
}

func TestBuiltinTable(t *testing.T) {
	t.Parallel()
	p := table(t)
	require.Regexp(t, `^2026-11-21-[0-9a-f]{8}$`, p.Version())
	require.Greater(t, len(p.exact), 100)
	for name, m := range p.exact {
		list := m.tiers[standard]
		require.LessOrEqual(t, list.cached, list.input, name)
		require.GreaterOrEqual(t, list.output, list.input, "%s: output is dearer with every known model", name)
		if flex, ok := m.tiers["flex"]; ok {
			require.Less(t, flex.output, list.output, name)
		}
		if priority, ok := m.tiers["priority"]; ok {
			require.Greater(t, priority.output, list.output, name)
		}
		require.True(t, m.window == 0 || m.window >= 8000, name)
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	p := table(t)
	tokens, known := p.Window("gpt-5-mini-2025-08-07")
	require.True(t, known)
	require.Equal(t, int64(400_000), tokens)
	for _, name := range []string{"brand-new", automation.OfflineModel} {
		_, known := p.Window(name)
		require.False(t, known, name)
	}
	_, known = new(Table).Window("gpt-5-mini")
	require.False(t, known)
}
