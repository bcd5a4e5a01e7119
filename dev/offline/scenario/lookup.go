package scenario

import "strings"

// lookup walks a value by a path: keys separated by dots, a key may have alternatives
// ("emails|messages"), and "[*]" opens a list. What does not exist is simply not in the answer.
func lookup(value any, path string) []any {
	values := []any{value}
	for part := range strings.SplitSeq(path, ".") {
		keys, open := strings.CutSuffix(part, "[*]")
		var next []any
		for _, v := range values {
			v, ok := member(v, keys)
			if !ok {
				continue
			}
			if list, isList := v.([]any); open && isList {
				next = append(next, list...)
			} else if !open {
				next = append(next, v)
			}
		}
		values = next
	}
	return values
}

// member returns the first of the alternative keys that an object has. The empty key is the value
// itself, so "[*]" opens a result that is a bare list.
func member(value any, keys string) (any, bool) {
	if keys == "" {
		return value, true
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, false
	}
	for key := range strings.SplitSeq(keys, "|") {
		if v, ok := object[key]; ok {
			return v, true
		}
	}
	return nil, false
}
