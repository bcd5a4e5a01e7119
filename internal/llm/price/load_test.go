package price

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
)

const own = `source: our contract
date: 2026-12-01
models:
  - names: [gpt-6-sol, our-deployment]
    input: 1
    price: {input: 1, cached: 0.5, output: 2}
`

// file writes prices and returns their path.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prices.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestLoadPutsTheFileFirst(t *testing.T) {
	t.Parallel()
	p, err := Load(written(t, strings.Replace(own, "    input: 1\n", "", 1)))
	require.NoError(t, err)
	for name, want := range map[string]int64{"gpt-6-sol": 3, "our-deployment": 3, "gpt-5": 12} {
		cost, known := p.Cost(name, "", used(1, 0, 1))
		require.True(t, known, name)
		require.Equal(t, want, cost, name)
	}
	_, known := p.Cost("gpt-6-sol-2026-09-01", "", used(1, 0, 1))
	require.False(t, known, "the file says nothing of snapshots")
	_, known = p.Cost("gpt-6-sol", "flex", used(1, 0, 1))
	require.False(t, known, "nor of tiers")
	require.True(t, strings.HasPrefix(p.Version(), "2026-12-01-"))
	require.NotEqual(t, table(t).Version(), p.Version())
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	const head = "source: s\ndate: 2026-11-01\n"
	const model = head + "models:\n  - names: [a]\n"
	for want, text := range map[string]string{
		"the file is empty":                            "",
		"more than one document":                       own[:strings.Index(own, "models")] + "models:\n  - {names: [a], price: {input: 1, output: 1}}\n---\nsource: x\n",
		"field input not found":                        own,
		"source is missing":                            "date: 2026-11-01\nmodels: []\n",
		"date \"yesterday\" is not a day":              "source: s\ndate: yesterday\n",
		"models are missing":                           head,
		"model 1 is empty":                             head + "models: [null]\n",
		"model 1: names are missing":                   head + "models: [{price: {input: 1, output: 1}}]\n",
		"model 2: name \"a\" is empty or priced twice": model + "    price: {input: 1, output: 1}\n  - names: [a]\n    price: {input: 1, output: 1}\n",
		"name \"\" is empty":                           head + "models: [{names: [\"\"]}]\n",
		"dated: \"b\" is not one of the names":         model + "    dated: [b]\n    price: {input: 1, output: 1}\n",
		"model 1: date \"2026-13-01\"":                 model + "    date: 2026-13-01\n",
		"window is negative":                           model + "    window: -1\n",
		"price: input or output is missing":            model + "    price: {input: 1}\n",
		"tiers: \"default\" is what price says":        model + "    tiers: {default: {input: 1, output: 1}}\n",
		"tiers: flex: input or output":                 model + "    tiers: {flex: null}\n",
		"\"-1\" is not a number":                       model + "    price: {input: -1, output: 1}\n",
		"\"1e3\" is not a number":                      model + "    price: {input: 1e3, output: 1}\n",
		"\"0.1234567\" is not a number":                model + "    price: {input: 0.1234567, output: 1}\n",
		"\"1000000\" is not a number":                  model + "    price: {input: 1000000, output: 1}\n",
		"\".inf\" is not a number":                     model + "    price: {input: .inf, output: 1}\n",
		"\"\" is not a number":                         model + "    price: {input: [1], output: 1}\n",
		"long: above must be positive":                 model + "    price: {input: 1, output: 1}\n    long: {above: 0, input: 2, output: 2}\n",
		"yaml:":                                        "source: [",
	} {
		_, err := Load(written(t, text))
		require.Error(t, err, want)
		require.Contains(t, err.Error(), want)
		require.Contains(t, fault.Text(err), "STEWARD_MODEL_PRICES")
		require.Equal(t, "invalid_settings", fault.CodeOf(err))
	}
}

func TestLoadReadsNoMoreThanNeeded(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"no file": filepath.Join(t.TempDir(), "prices.yaml"), "a folder": t.TempDir(),
		"too long": written(t, strings.Repeat("#", maxFile+1)),
	} {
		_, err := Load(path)
		require.Equal(t, "invalid_settings", fault.CodeOf(err), name)
		require.NotContains(t, fault.Text(err), path, name)
	}
}

// FuzzParse holds the parser to: no panic, and that every model of an accepted file has a sane price.
func FuzzParse(f *testing.F) {
	f.Add([]byte(own))
	f.Add(builtin[:2000])
	f.Add([]byte("source: s\ndate: 2026-11-01\nmodels:\n  - {names: [a], price: {input: 0.000001, output: 999999.999999}, long: {above: 1, input: 99.99, output: 1}}\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		parsed, err := parse(raw)
		if err != nil {
			return
		}
		p := newTable(parsed)
		require.NotEmpty(t, p.Version())
		for name := range p.exact {
			cost, known := p.Cost(name, "", used(1_000_000, 0, 1_000_000))
			require.True(t, known)
			require.GreaterOrEqual(t, cost, int64(0))
			most, known := p.AtMost(name, 1_000_000, 1_000_000)
			require.True(t, known)
			require.GreaterOrEqual(t, most, cost)
		}
	})
}
