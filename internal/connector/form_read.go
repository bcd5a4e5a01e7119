package connector

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"steward/internal/fault"
	"steward/internal/secret"
)

// usualLength bounds what is written where a field says nothing.
const usualLength = 255

// Bounds of complaints: a person reads a few, and names of what is no field are the caller's.
const (
	mostComplaints = 16
	longestName    = 64 // bytes
)

// Read checks values, as JSON has them, against the fields. Its error is one fault of kind Invalid that complains about
// every field, each at "body.<name>". What is no field of the form is refused too: a misspelt setting would be lost.
func (f *Form) Read(values map[string]any) (Settings, error) {
	out := Settings{written: map[string]secret.String{}}
	var complaints []fault.Field
	known := map[string]bool{}
	for _, field := range f.Fields {
		known[field.Name] = true
		text, err := field.read(values[field.Name])
		if err != nil {
			complaints = append(complaints, fault.Field{Location: "body." + field.Name, Message: err.Error()})
			continue
		}
		if text != "" {
			out.written[field.Name] = secret.New(text)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !known[name] {
			complaints = append(complaints, fault.Field{Location: "body." + shortened(name), Message: "the form has no such field"})
		}
	}
	if len(complaints) > 0 {
		return Settings{}, &fault.Error{
			Kind: fault.Invalid, Msg: complaints[0].Location + ": " + complaints[0].Message,
			Fields: complaints[:min(len(complaints), mostComplaints)],
		}
	}
	return out, nil
}

func shortened(name string) string {
	if len(name) > longestName {
		name = name[:longestName]
	}
	return strings.ToValidUTF8(name, "")
}

func (f Field) read(value any) (string, error) {
	if value == nil || value == "" {
		switch {
		case f.Default != nil:
			value = f.Default
		case f.Required:
			return "", fmt.Errorf("is required")
		case f.Kind == Checkbox:
			return "false", nil
		default:
			return "", nil
		}
	}
	switch f.Kind {
	case Checkbox:
		return f.readTick(value)
	case Number:
		return f.readNumber(value)
	default:
		return f.readText(value)
	}
}

func (f Field) readTick(value any) (string, error) {
	switch v := value.(type) {
	case bool:
		return strconv.FormatBool(v), nil
	case string: // what an HTML form sends
		if v == "true" || v == "false" {
			return v, nil
		}
	}
	return "", fmt.Errorf("is neither true nor false")
}

func (f Field) readNumber(value any) (string, error) {
	text := ""
	switch v := value.(type) {
	case int:
		text = strconv.Itoa(v)
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		text = v.String()
	case string:
		text = strings.TrimSpace(v)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.Least || n > f.Most {
		return "", fmt.Errorf("is not a whole number from %d to %d", f.Least, f.Most)
	}
	return strconv.Itoa(n), nil
}

func (f Field) readText(value any) (string, error) {
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("is not text")
	}
	if f.Kind == Line {
		text = strings.TrimSpace(text)
		if text == "" && f.Required {
			return "", fmt.Errorf("is required")
		}
	}
	most := f.Longest()
	switch {
	case most > 0 && utf8.RuneCountInString(text) > most:
		return "", fmt.Errorf("is longer than %d characters", most)
	case !utf8.ValidString(text), strings.ContainsRune(text, 0), f.Kind != Text && strings.ContainsAny(text, "\r\n"):
		return "", fmt.Errorf("holds characters that are not allowed")
	case f.Kind == Select && !slices.Contains(f.Options, text):
		return "", fmt.Errorf("is none of %s", strings.Join(f.Options, ", "))
	case f.Pattern != "" && !regexp.MustCompile(f.Pattern).MatchString(text):
		return "", fmt.Errorf("%s", f.Wrong)
	}
	return text, nil
}

func atoi(text string) int {
	n, _ := strconv.Atoi(text) // checked when the form was read
	return n
}

// encode writes settings down for sealing.
func (s Settings) encode() ([]byte, error) {
	plain := make(map[string]string, len(s.written))
	for name, value := range s.written {
		plain[name] = value.Reveal()
	}
	doc, err := json.Marshal(plain)
	if err != nil {
		return nil, fmt.Errorf("encode settings: %w", err)
	}
	return doc, nil
}

func decodeSettings(doc []byte) (Settings, error) {
	var plain map[string]string
	if err := json.Unmarshal(doc, &plain); err != nil {
		return Settings{}, fmt.Errorf("decode settings: %w", err)
	}
	out := Settings{written: make(map[string]secret.String, len(plain))}
	for name, value := range plain {
		out.written[name] = secret.New(value)
	}
	return out, nil
}
