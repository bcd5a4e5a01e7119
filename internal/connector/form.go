package connector

import (
	"context"
	"net"

	"steward/internal/secret"
)

// Form is how a connector is connected whose system knows no consent: a person fills in where it is and how to get
// in. A user may have several connections of the same kind.
type Form struct {
	// Fields begin with the one that says where the system is: what the rules about addresses refuse is refused there.
	Fields []Field
	// Place says in a few words where the settings lead, for lists: never a password. Its error is a fault of kind
	// Invalid, located at a field: settings that fit every field and still cannot be used together.
	Place func(Settings) (string, error)
	// Open makes a link. It may wait with dialling until the link is used; every connection of it goes through dial.
	Open func(s Settings, dial Dial) (Link, error)
}

// Dial connects to an address that a user has named, by the rules for that user: its error is egress.ErrDenied where
// they forbid it. Only TCP is dialled.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Link is an open connection of a form, shared by all calls of one process: a pool. It must be safe for concurrent use.
type Link interface {
	// Test finds out whether the system lets us in, and whether it lets us do no more than a tool may: accounts that
	// are too powerful are refused with advice. Its error is an *Error.
	Test(ctx context.Context) error
	// Close ends it; calls under way fail.
	Close()
}

// Field is one question of a form.
type Field struct {
	Name      string
	Label     string // for people
	Kind      FieldKind
	Required  bool
	Default   any // string, int or bool; nil: none
	Help      string
	Options   []string // of a Select
	Least     int      // of a Number
	Most      int
	MaxLength int    // of what is written, in characters; 0: 255
	Pattern   string // of what is written; empty: anything in one line. A Text is taken as it is.
	Wrong     string // what to say about what does not fit the pattern, such as "is not a host name"
	Secret    bool   // shown nowhere again; always so for a Password
}

// FieldKind is the kind of an input, in HTML's terms.
type FieldKind string

// Kinds of fields.
const (
	Line     FieldKind = "text"
	Text     FieldKind = "textarea"
	Number   FieldKind = "number"
	Password FieldKind = "password"
	Checkbox FieldKind = "checkbox"
	Select   FieldKind = "select"
)

// NameField is the field that names a connection. Every form begins with it; it is not among Form.Fields.
var NameField = Field{
	Name: "connection_name", Label: "Connection Name", Kind: Line, Required: true, MaxLength: 64,
	// It stands in what models are told of the connection's tools, and in what people approve.
	Pattern: `^\P{C}+$`, Wrong: "holds characters that cannot be seen",
}

// Hidden says that what is written is shown nowhere again.
func (f Field) Hidden() bool { return f.Secret || f.Kind == Password }

// Longest is how many characters may be written; 0 where nothing is written.
func (f Field) Longest() int {
	switch {
	case f.Kind == Number || f.Kind == Checkbox || f.Kind == Select:
		return 0
	case f.MaxLength == 0:
		return usualLength
	}
	return f.MaxLength
}

// Settings are a form that was filled in: every field has a value of its kind, given or by default.
type Settings struct {
	written map[string]secret.String // of all kinds, as text
}

// Text is the value of a field that is written, empty where there is none.
func (s Settings) Text(name string) string { return s.written[name].Reveal() }

// Secret is Text for what must not be printed.
func (s Settings) Secret(name string) secret.String { return s.written[name] }

// Number is the value of a Number, 0 where there is none.
func (s Settings) Number(name string) int { return atoi(s.Text(name)) }

// Ticked is the value of a Checkbox.
func (s Settings) Ticked(name string) bool { return s.Text(name) == "true" }
