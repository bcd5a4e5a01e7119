package planner

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"steward/dev/offline/dialog"
	"steward/dev/offline/lexicon"
	"steward/dev/offline/period"
)

// fill takes the arguments of a tool out of a clause. Lacking names the required ones for which the
// text has no value; then there are no arguments. A tool that reads one thing is called once for
// each path or URL that the clause names, so there may be several sets.
func fill(tool dialog.Tool, clause string, values []token, today time.Time) (sets []string, lacking []string) {
	schema := tool.Schema()
	f := filler{clause: clause, tool: tool, schema: schema, today: today, tokens: slices.Clone(values)}
	f.claimNamed()
	for {
		set, lacking := f.set()
		if len(lacking) > 0 && len(sets) == 0 {
			return nil, lacking
		}
		if len(lacking) > 0 {
			return sets, nil
		}
		sets = append(sets, set)
		more := slices.ContainsFunc(f.tokens, func(t token) bool { return !t.used && (t.kind == path || t.kind == url) })
		if !more || len(schema.Required) != 1 || lexicon.Changes(lexicon.Terms(tool.Short())[0]) {
			return sets, nil
		}
	}
}

// filler hands out the values of one clause.
type filler struct {
	clause string
	tool   dialog.Tool
	schema *dialog.Schema
	today  time.Time
	tokens []token
	named  map[string]string // property → the value right behind its name
}

// set makes one set of arguments. Required ones choose first, in the order of the schema, and a
// value serves only once.
func (f *filler) set() (arguments string, lacking []string) {
	values := map[string]any{}
	for _, name := range f.schema.Required {
		if value, ok := f.value(name, f.schema.Property(name), true); ok {
			values[name] = value
		} else {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) > 0 {
		return "", lacking
	}
	for _, name := range f.schema.Optional() {
		if value, ok := f.value(name, f.schema.Property(name), false); ok {
			values[name] = value
		}
	}
	arguments, err := dialog.Arguments(values)
	if err != nil {
		return "", f.schema.Required
	}
	return arguments, nil
}

// value finds the value of one property. Optional ones are held to stronger evidence, so that a
// stray number does not become a limit.
func (f *filler) value(name string, schema *dialog.Schema, required bool) (any, bool) {
	if schema.Const != nil {
		return schema.Const, true
	}
	if len(schema.Enum) > 0 {
		if value, ok := f.enum(schema.Enum); ok {
			return value, true
		}
		return schema.Default, required && schema.Default != nil
	}
	var value any
	ok := false
	switch schema.Type {
	case "integer", "number":
		value, ok = f.number(name, required)
	case "boolean":
		value, ok = f.flag(name)
	case "array":
		value, ok = f.array(name, schema, required)
	case "object":
		value, ok = f.object(schema, required)
	case "string", "":
		value, ok = f.text(name, schema, required)
	}
	if ok {
		return value, true
	}
	return schema.Default, required && schema.Default != nil
}

func (f *filler) enum(values []any) (any, bool) {
	words := " " + strings.ToLower(strings.Join(strings.FieldsFunc(f.clause, notWord), " ")) + " "
	for _, value := range values {
		if s, ok := value.(string); ok && s != "" && strings.Contains(words, " "+strings.ToLower(s)+" ") {
			return value, true
		}
	}
	return nil, false
}

func notWord(r rune) bool { return strings.ContainsRune(" \t\r\n.,;:!?()\"'", r) }

// flag is true when the clause says the name of the property, false when it says "no" before it.
func (f *filler) flag(name string) (any, bool) {
	phrase := " " + strings.Join(propertyWords(name), " ") + " "
	words := " " + strings.ToLower(strings.Join(strings.FieldsFunc(f.clause, notWord), " ")) + " "
	i := strings.Index(words, phrase)
	if i < 0 {
		return nil, false
	}
	before := strings.TrimRight(words[:i], " ")
	return !strings.HasSuffix(before, " no") && !strings.HasSuffix(before, " without") && !strings.HasSuffix(before, " not"), true
}

// object takes JSON from the text, else fills the parts one by one.
func (f *filler) object(schema *dialog.Schema, required bool) (any, bool) {
	if value, ok := f.json('{'); ok {
		return value, true
	}
	if !required || len(schema.Required) == 0 {
		return nil, false
	}
	values := map[string]any{}
	for _, name := range schema.Required {
		value, ok := f.value(name, schema.Property(name), true)
		if !ok {
			return nil, false
		}
		values[name] = value
	}
	return values, true
}

func (f *filler) json(open byte) (any, bool) {
	for i, t := range f.tokens {
		if t.kind == document && !t.used && t.value[0] == open && json.Valid([]byte(t.value)) {
			f.tokens[i].used = true
			return json.RawMessage(t.value), true
		}
	}
	return nil, false
}

// day reads a date word such as "last week" for properties that bound a period.
func (f *filler) day(ending bool) (string, bool) {
	p, ok := period.Find(f.clause, f.today)
	at := p.From
	if ending {
		at = p.Before
	}
	if !ok || at.IsZero() {
		return "", false
	}
	return at.Format("2006-01-02"), true
}
