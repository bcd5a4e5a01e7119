package addressee

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"
)

// InArguments finds the addressees of a call's arguments, a JSON object. Where the tool declares which
// arguments say who receives something, those count; else everything does, in every depth: names of members,
// long texts, JSON and base64 within strings.
func InArguments(arguments []byte, declared []string) []Addressee {
	f := &finder{}
	object, ok := decode(arguments).(map[string]any)
	if !ok {
		return nil
	}
	if len(declared) == 0 {
		f.value(object, "", "", 0)
		return f.all
	}
	for _, name := range declared {
		f.receivers(object[name], name)
	}
	return f.all
}

// InText finds the addressees that a text names.
func InText(text string) []Addressee {
	f := &finder{}
	f.text(text, "", "")
	return f.all
}

func decode(doc []byte) any {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.More() {
		return nil
	}
	return v
}

type finder struct{ list }

// maxNested is how deep JSON and base64 are looked for within strings.
const maxNested = 4

func (f *finder) value(v any, key, where string, nested int) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			at := strings.TrimPrefix(where+"."+name, ".")
			f.text(name, "", at)
			f.value(v[name], name, at, nested)
		}
	case []any:
		for i, e := range v {
			f.value(e, key, fmt.Sprintf("%s[%d]", where, i), nested)
		}
	case json.Number:
		if receiverKey(key) {
			f.receivers(v, where)
		}
		f.text(v.String(), key, where)
	case string:
		f.string(v, key, where, nested)
	}
}

func (f *finder) string(s, key, where string, nested int) {
	f.text(s, key, where)
	if receiverKey(key) {
		f.pieces(s, where)
	}
	if nested >= maxNested || f.full {
		return
	}
	if inner := strings.TrimSpace(s); strings.HasPrefix(inner, "{") || strings.HasPrefix(inner, "[") || strings.HasPrefix(inner, `"`) {
		f.value(decode([]byte(inner)), key, where, nested+1)
	}
	if inner, ok := unbase64(s); ok {
		f.string(inner, key, where, nested+1)
	}
}

// text finds what a text of a field of this name would reach.
func (f *finder) text(s, key, where string) {
	add := func(a Addressee) bool {
		a.Where = where
		return f.add(a)
	}
	if one := strings.TrimSpace(s); len(one) < longestURL && !strings.Contains(one, " ") && urlStart.MatchString(one) {
		s += " " + strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(one) // as browsers read a URL
	}
	for _, v := range views(s) {
		for u := range urlsIn(v) {
			a := u.addressee()
			if u.more {
				a.URL = v[u.start:u.end]
			}
			if !add(a) {
				return
			}
		}
		mailsIn(v)(add)
		hostsIn(v)(add)
		if a, ok := hostAlone(v, key); ok {
			add(a)
		}
	}
}

// receivers takes the value of a field that says who receives something: whatever is in it counts, understood
// or not.
func (f *finder) receivers(v any, where string) {
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			f.receivers(e, fmt.Sprintf("%s[%d]", where, i))
		}
	case map[string]any:
		f.value(v, "", where, 0)
	case json.Number:
		f.add(Addressee{Kind: Name, Value: v.String(), Where: where})
	case string:
		f.text(v, "", where)
		f.pieces(v, where)
	}
}

// pieces finds the recipients in a list that are no address.
func (f *finder) pieces(s, where string) {
	if len(s) > longestList {
		f.add(Addressee{Kind: Name, Value: "a list too long to be read", Where: where, Unreadable: true})
		return
	}
	if _, err := mail.ParseAddressList(s); err == nil {
		return
	}
	for piece := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(",;\r\n", r) }) {
		if piece = strings.TrimSpace(piece); piece != "" && !understood(piece) {
			f.add(Addressee{Kind: Name, Value: strings.ToLower(strings.Join(strings.Fields(piece), " ")), Where: where})
		}
	}
}

// understood says that a recipient is one address, with or without a name, or one URL, and nothing more.
func understood(piece string) bool {
	if _, err := mail.ParseAddress(strings.TrimRight(piece, ".")); err == nil {
		return true
	}
	for u := range urlsIn(piece) {
		return u.start == 0 && u.end == len(piece)
	}
	return false
}
