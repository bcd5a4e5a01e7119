// Package json is what the MCP go-sdk decodes JSON with, in place of segmentio's: see
// dev/adr/0004-json-of-the-mcp-sdk.md. It has what go-sdk asks for and nothing more; a go-sdk that asks for more does
// not build.
package json

import (
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// options are those of encoding/json, but for the names of members: {"Method": …} is not {"method": …} (T-39).
var options = json.JoinOptions(jsonv1.DefaultOptionsV1(), json.MatchCaseInsensitiveNames(false))

// Decoder reads JSON values, one after the other.
type Decoder struct {
	text *jsontext.Decoder
}

// NewDecoder reads from r.
func NewDecoder(r io.Reader) *Decoder { return &Decoder{jsontext.NewDecoder(r, options)} }

// DontMatchCaseInsensitiveStructFields is how it always is.
func (*Decoder) DontMatchCaseInsensitiveStructFields() {}

// Decode reads the next value into v. What follows the value is not looked at.
func (d *Decoder) Decode(v any) error { return json.UnmarshalDecode(d.text, v, options) }
