package structured

import (
	"steward/dev/offline/dialog"
	"steward/dev/offline/money"
)

// maxItems bounds a list.
const maxItems = 200

// array lists what was found, or is empty.
func (b *builder) array(s schema, at place) (made, bool) {
	least, most, ok := bounds(s, "minItems", "maxItems")
	if !ok || least > maxItems {
		return made{}, false
	}
	list, seen := []any{}, map[string]bool{}
	unique, _ := s["uniqueItems"].(bool)
	add := func(value any) {
		if key := written(value); !unique || !seen[key] {
			seen[key] = true
			list = append(list, value)
		}
	}
	item, described := asSchema(s["items"]), s.hasAny("items")
	if !described {
		item = schema{}
	}
	if _, tuple := s["items"].([]any); tuple || s.hasAny("prefixItems") {
		return made{value: list}, least == 0
	}
	for _, f := range itemsOf(at) {
		if len(list) >= min(most, maxItems) {
			break
		}
		if !described {
			b.room -= len(written(f.Value))
			add(f.Value)
			continue
		}
		if m, ok := b.value(item, inItem(at.name, f)); ok && m.found {
			add(m.value)
		}
	}
	found := len(list) > 0
	for tries := least; len(list) < least && tries > 0; tries-- {
		m, ok := b.value(item, place{name: at.name, item: true})
		if !ok {
			return made{}, false
		}
		add(m.value)
	}
	return made{list, found}, b.room >= 0 && len(list) >= least && len(list) <= most
}

// inItem is what is known of one item.
func inItem(list string, item dialog.Item) place {
	at := place{name: list, item: true, facts: dialog.Facts{Totals: item.Amounts}}
	object, ok := item.Value.(map[string]any)
	if !ok {
		object = map[string]any{list: item.Value}
	}
	at.facts.Values = []any{object}
	return at
}

// itemsOf are the items that belong into a list of that name: a list that a tool gave the name, the
// totals if it is called after money, else what the answer is about. A list of what went wrong is
// not that.
func itemsOf(at place) []dialog.Item {
	if list, ok := lookup[[]any](at); ok {
		var items []dialog.Item
		for _, v := range list[:min(len(list), maxItems)] {
			items = append(items, dialog.Item{Value: v})
		}
		return items
	}
	switch {
	case at.item || is(at.name, trouble):
		return nil
	case ends(at.name, amounts) || is(at.name, currencies):
		var items []dialog.Item
		for _, total := range at.facts.Totals {
			items = append(items, dialog.Item{Value: map[string]any{}, Amounts: []money.Amount{total}})
		}
		return items
	}
	return at.facts.Items
}
