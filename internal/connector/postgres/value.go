package postgres

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"steward/internal/connector/database"
)

// exactDigits is how many digits of a decimal number every reader of JSON keeps (IEEE 754 binary64).
const exactDigits = 15

// value is a value as JSON says it, from the text that the server has sent: numbers, truth and documents as such, times
// in RFC 3339, lists as lists, and everything else as PostgreSQL writes it. Numbers that not every reader keeps, and
// NaN and its like, stay text.
func value(types *pgtype.Map, oid uint32, sent []byte) any {
	if sent == nil {
		return nil
	}
	text := string(sent)
	switch oid {
	case pgtype.BoolOID:
		return text == "t"
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID, pgtype.NumericOID, pgtype.Float4OID, pgtype.Float8OID:
		return numeral(oid, text)
	case pgtype.JSONOID, pgtype.JSONBOID:
		if json.Valid(sent) {
			return json.RawMessage(text)
		}
	case pgtype.TimestamptzOID:
		for _, layout := range []string{"2006-01-02 15:04:05.999999Z07", "2006-01-02 15:04:05.999999Z07:00", "2006-01-02 15:04:05.999999Z07:00:00"} {
			if at, err := time.Parse(layout, text); err == nil {
				return at.Format(time.RFC3339Nano)
			}
		}
	case pgtype.TimestampOID:
		if at, err := time.Parse("2006-01-02 15:04:05.999999", text); err == nil {
			return at.Format("2006-01-02T15:04:05.999999")
		}
	case pgtype.ByteaOID:
		if raw, err := hex.DecodeString(strings.TrimPrefix(text, `\x`)); err == nil {
			return base64.StdEncoding.EncodeToString(raw)
		}
	default:
		if t, ok := types.TypeForOID(oid); ok {
			if list, ok := t.Codec.(*pgtype.ArrayCodec); ok {
				return array(types, list.ElementType.OID, sent)
			}
		}
	}
	return text
}

// numeral is a number where every reader of JSON keeps it as it is, else its text. A float is always printed so that it
// can be read back.
func numeral(oid uint32, text string) any {
	switch oid {
	case pgtype.NumericOID:
		if significant(text) > exactDigits {
			return text
		}
	case pgtype.Float4OID, pgtype.Float8OID:
	default:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return database.Plain(n)
		}
	}
	if strings.Trim(text, "0123456789+-.e") != "" || !json.Valid([]byte(text)) { // such as NaN and Infinity
		return text
	}
	return json.Number(text)
}

// significant counts digits, from the first that is not 0.
func significant(text string) (n int) {
	for _, c := range strings.TrimLeft(text, "-0.") {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

// array is a list, of lists where it has more dimensions. Where it cannot be taken apart it stays text.
func array(types *pgtype.Map, element uint32, sent []byte) any {
	var flat pgtype.Array[*string]
	if err := types.Scan(pgtype.TextArrayOID, pgtype.TextFormatCode, sent, &flat); err != nil {
		return string(sent)
	}
	values := make([]any, len(flat.Elements))
	for i, e := range flat.Elements {
		if e != nil {
			values[i] = value(types, element, []byte(*e))
		}
	}
	for d := len(flat.Dims) - 1; d > 0; d-- {
		values = folded(values, int(flat.Dims[d].Length))
	}
	return values
}

func folded(values []any, length int) []any {
	var out []any
	for length > 0 && len(values) >= length {
		out = append(out, values[:length:length])
		values = values[length:]
	}
	return out
}
