package secret

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"steward/internal/fault"
)

// maxDepth bounds nesting in JSON that strangers send.
const maxDepth = 200

// Canonical rewrites one JSON value so that equal values have equal bytes: no white space, object members
// sorted by UTF-16 code units, shortest string escapes (RFC 8785 §3.2). Unlike RFC 8785 a number keeps
// its exact text, so 1 and 1.0 differ and nothing is rounded. What two readers could understand
// differently is refused with a fault of kind Malformed: duplicate members, invalid UTF-8, unpaired
// surrogates, anything after the value, and nesting beyond 200.
func Canonical(raw json.RawMessage) ([]byte, error) {
	if !utf8.Valid(raw) {
		return nil, fault.New(fault.Malformed, "JSON is not valid UTF-8")
	}
	if !json.Valid(raw) {
		return nil, fault.New(fault.Malformed, "not one valid JSON value")
	}
	if hasLoneSurrogate(raw) {
		return nil, fault.New(fault.Malformed, "JSON string holds an unpaired surrogate")
	}
	c := canonicalizer{in: json.NewDecoder(bytes.NewReader(raw))}
	c.in.UseNumber()
	out, err := c.value(make([]byte, 0, len(raw)), 0)
	if err != nil {
		return nil, err
	}
	if _, err := c.in.Token(); err != io.EOF {
		return nil, fault.New(fault.Malformed, "not one valid JSON value")
	}
	return out, nil
}

// Digest is the lower-case hex SHA-256 of canonical bytes: what approvals bind and audit rows show.
func Digest(canonical []byte) string {
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

type canonicalizer struct{ in *json.Decoder }

func (c *canonicalizer) value(dst []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fault.New(fault.Malformed, "JSON is nested deeper than %d", maxDepth)
	}
	token, err := c.in.Token()
	if err != nil {
		return nil, fault.Wrap(err, fault.Malformed, "not valid JSON")
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			return c.array(dst, depth)
		}
		return c.object(dst, depth)
	case string:
		return appendString(dst, t), nil
	case json.Number:
		return append(dst, t...), nil
	case bool:
		return strconv.AppendBool(dst, t), nil
	default:
		return append(dst, "null"...), nil
	}
}

func (c *canonicalizer) array(dst []byte, depth int) ([]byte, error) {
	dst = append(dst, '[')
	for first := true; c.in.More(); first = false {
		if !first {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = c.value(dst, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := c.in.Token()
	return append(dst, ']'), err
}

type member struct {
	name  string
	order []uint16 // UTF-16 code units of name, by which RFC 8785 sorts
	value []byte
}

func (c *canonicalizer) object(dst []byte, depth int) ([]byte, error) {
	var members []member
	for c.in.More() {
		token, err := c.in.Token()
		if err != nil {
			return nil, fault.Wrap(err, fault.Malformed, "not valid JSON")
		}
		name, _ := token.(string)
		value, err := c.value(nil, depth+1)
		if err != nil {
			return nil, err
		}
		members = append(members, member{name, utf16.Encode([]rune(name)), value})
	}
	if _, err := c.in.Token(); err != nil {
		return nil, fault.Wrap(err, fault.Malformed, "not valid JSON")
	}
	slices.SortFunc(members, func(a, b member) int { return slices.Compare(a.order, b.order) })
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			if members[i-1].name == m.name {
				return nil, fault.New(fault.Malformed, "JSON object has a member twice")
			}
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, m.name), ':')
		dst = append(dst, m.value...)
	}
	return append(dst, '}'), nil
}

const hexDigits = "0123456789abcdef"

// appendString quotes s with the shortest escapes (RFC 8785 §3.2.2.2); json.Marshal would escape more.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		switch b := s[i]; b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\r':
			dst = append(dst, '\\', 'r')
		default:
			if b < ' ' {
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
			} else {
				dst = append(dst, b)
			}
		}
	}
	return append(dst, '"')
}

// hasLoneSurrogate finds half a pair in valid JSON. Go's decoder turns it into U+FFFD in silence, so two
// different texts would get one digest.
func hasLoneSurrogate(raw []byte) bool {
	high := false
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			if high {
				return true
			}
			continue
		}
		i++ // valid JSON: something follows a backslash
		if raw[i] != 'u' {
			if high {
				return true
			}
			continue
		}
		unit, _ := strconv.ParseUint(string(raw[i+1:i+5]), 16, 16)
		i += 4
		switch isLow := unit >= 0xDC00 && unit < 0xE000; {
		case high != isLow:
			return true
		default:
			high = unit >= 0xD800 && unit < 0xDC00
		}
	}
	return high
}
