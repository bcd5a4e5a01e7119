package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// mask is what every way of printing a String shows. Its length says nothing about the value.
const mask = "***"

// String is a secret in memory. It prints as *** through fmt (every verb), JSON, text and slog; only
// Reveal hands the value out, so that `grep Reveal` finds every place where a secret is used.
type String struct {
	// A pointer, because fmt calls no methods on unexported fields: of a String inside one it prints an
	// address instead of the value.
	value *string
}

// New wraps value.
func New(value string) String {
	if value == "" {
		return String{}
	}
	return String{value: &value}
}

// Reveal returns the value. The result must go straight to the receiver the secret was saved for.
func (s String) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is no value.
func (s String) IsZero() bool { return s.value == nil }

// Equal compares in constant time; the length of the values is hidden too.
func (s String) Equal(other String) bool {
	a, b := sha256.Sum256([]byte(s.Reveal())), sha256.Sum256([]byte(other.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// String returns ***.
func (String) String() string { return mask }

// GoString returns ***.
func (String) GoString() string { return mask }

// Format prints *** whatever the verb, so that %x or %d cannot take the value apart.
func (String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// MarshalText returns ***; encoding/json uses it too.
func (String) MarshalText() ([]byte, error) { return []byte(mask), nil }

// UnmarshalText takes a value from the environment or from a request body.
func (s *String) UnmarshalText(text []byte) error {
	*s = New(string(text))
	return nil
}

// LogValue returns ***.
func (String) LogValue() slog.Value { return slog.StringValue(mask) }
