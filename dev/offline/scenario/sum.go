package scenario

import (
	"maps"
	"math/big"
	"slices"
	"strings"
)

// sums adds up each column of figures: "clicks 23000, spend 8000". A column counts if every row has a figure in it,
// which may stand in text, as exact decimals do.
func sums(rows []any) string {
	totals := map[string]*big.Rat{}
	for i, row := range rows {
		object, ok := row.(map[string]any)
		if !ok {
			return ""
		}
		if i == 0 {
			for name := range object {
				totals[name] = new(big.Rat)
			}
		}
		for name, total := range totals {
			figure, ok := new(big.Rat).SetString(show(object[name]))
			if !ok {
				delete(totals, name)
				continue
			}
			total.Add(total, figure)
		}
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(totals)) {
		text := totals[name].FloatString(2)
		parts = append(parts, name+" "+strings.TrimSuffix(text, ".00"))
	}
	return strings.Join(parts, ", ")
}
