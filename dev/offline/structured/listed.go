package structured

import "slices"

// listed chooses among values that the schema gives: the one that is known, else the default, else
// null, else the first.
func (b *builder) listed(s schema, at place) (made, bool) {
	options := []any{s["const"]}
	if !s.hasAny("const") {
		options, _ = s["enum"].([]any)
	} else if s.hasAny("enum") {
		return made{}, false
	}
	var fitting []any
	for _, v := range options {
		if b.room >= 0 && b.plain(s, v) {
			fitting = append(fitting, v)
		}
	}
	if len(fitting) == 0 {
		return made{}, false
	}
	if known, ok := text(at); ok {
		for _, v := range fitting {
			if v == any(known) {
				return made{v, true}, true
			}
		}
	}
	standard, given := s["default"]
	for _, v := range fitting {
		if given && written(v) == written(standard) {
			return made{value: v}, true
		}
	}
	for _, v := range fitting {
		if v == nil {
			return made{}, true
		}
	}
	return made{value: fitting[0]}, true
}

// plain reports whether a given value fits the rest of its schema. Of objects and lists that is
// known only when there is no rest but the type.
func (b *builder) plain(s schema, value any) bool {
	b.room -= cost + len(written(value))
	types := s.types()
	if len(types) > 0 && !slices.ContainsFunc(types, func(t string) bool { return isType(t, value) }) || b.room < 0 {
		return false
	}
	switch v := value.(type) {
	case string:
		return b.fitsText(s, v)
	case map[string]any, []any:
		return s.only("type", "const", "enum")
	default:
		return fitsNumber(s, v)
	}
}
