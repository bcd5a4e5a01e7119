package structured

// object fills the required properties, and those of the others that something is known of.
func (b *builder) object(s schema, at place) (made, bool) {
	properties := s.schemas("properties")
	object := map[string]any{}
	found := false
	var spare []string // optional properties of which nothing is known
	values := map[string]any{}
	for _, name := range s.order() {
		p, declared := properties[name]
		if !declared {
			if p = asSchema(s["additionalProperties"]); p == nil && s.hasAny("additionalProperties") {
				return made{}, false
			} else if p == nil {
				p = schema{}
			}
		}
		m, ok := b.value(p, place{name: name, text: at.text, facts: at.facts, item: at.item})
		switch {
		case ok && (m.found || s.required(name) || p.hasAny("default")):
			object[name] = m.value
			found = found || m.found
		case s.required(name):
			return made{}, false
		case ok:
			spare = append(spare, name)
			values[name] = m.value
		}
	}
	least, most, ok := bounds(s, "minProperties", "maxProperties")
	if !ok {
		return made{}, false
	}
	for _, name := range spare {
		if len(object) < least {
			object[name] = values[name]
		}
	}
	return made{object, found}, len(object) >= least && len(object) <= most
}
