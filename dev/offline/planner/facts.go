package planner

import (
	"maps"
	"slices"

	"steward/dev/offline/dialog"
)

// facts are what the final text says of the results. The items are those of the last list; its sum
// counts when there is one only.
func facts(d dialog.Dialog) dialog.Facts {
	var f dialog.Facts
	var last []any
	for _, call := range d.Calls {
		result := call.Result()
		if result.Failed {
			continue
		}
		switch value := result.Value.(type) {
		case map[string]any:
			f.Values = append(f.Values, value)
			for _, key := range slices.Sorted(maps.Keys(value)) {
				if list, ok := value[key].([]any); ok {
					last = list
				}
			}
		case []any:
			last = value
		}
	}
	for _, item := range last {
		f.Items = append(f.Items, dialog.Item{Value: item})
	}
	if sums := sums(last); len(sums) == 1 {
		for _, sum := range sums {
			f.Sum = &sum
		}
	}
	return f
}
