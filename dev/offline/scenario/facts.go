package scenario

import (
	"fmt"

	"steward/dev/offline/dialog"
	"steward/dev/offline/money"
)

// Facts says where the figures of the final text come from, for clients that ask for data.
type Facts struct {
	Items  []string  `yaml:"items"`  // paths of what is listed and counted; the first that leads somewhere
	Amount *Template `yaml:"amount"` // what one item amounts to, in words that package money reads
}

// facts are those of the final text.
func (s *scope) facts(from Facts) (dialog.Facts, error) {
	f := s.found()
	for _, path := range from.Items {
		for _, value := range s.List(path) {
			f.Items = append(f.Items, dialog.Item{Value: value})
		}
		if len(f.Items) > 0 {
			break
		}
	}
	if from.Amount == nil {
		return f, nil
	}
	sum := money.Sum{}
	defer func(before any) { s.Item = before }(s.Item)
	for i := range f.Items {
		s.Item = f.Items[i].Value
		text, err := from.Amount.render(s)
		if err != nil {
			return dialog.Facts{}, fmt.Errorf("amount of an item: %w", err)
		}
		f.Items[i].Amounts = money.Find(text)
		sum.Add(f.Items[i].Amounts...)
	}
	f.Totals = sum.Amounts()
	return f, nil
}

// found holds what tools answered and what the instruction names.
func (s *scope) found() dialog.Facts {
	var f dialog.Facts
	named := map[string]any{}
	for name, value := range s.vars {
		if value != "" {
			named[name] = value
		}
	}
	f.Values = append(f.Values, named)
	for _, u := range s.results {
		if object, ok := u.result.Value.(map[string]any); ok && !u.result.Failed {
			f.Values = append(f.Values, object)
		}
	}
	return f
}
