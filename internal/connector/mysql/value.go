package mysql

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
)

// exactDigits is how many digits of a decimal every reader of JSON keeps, as a binary fraction of 64 bits (RFC 8259 §6).
const exactDigits = 15

// plain is a value of a column of that type as JSON can say it, where database.Plain does not know the type. Moments
// have a zone because the session has one; a DATETIME is a day and an hour somewhere, and stays as it is written.
func plain(value any, kind string) any {
	if f, ok := value.(float32); ok { // as 64 bits 0.1 would become 0.10000000149011612
		return json.Number(strconv.FormatFloat(float64(f), 'g', -1, 32))
	}
	raw, ok := value.([]byte)
	if !ok {
		return value
	}
	switch kind {
	case "DECIMAL":
		return decimal(string(raw))
	case "TIMESTAMP":
		return moment(string(raw))
	case "BIT":
		return bits(raw)
	case "BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "GEOMETRY":
		return base64.StdEncoding.EncodeToString(raw) // also where it could be text: no row may differ from the next
	case "JSON":
		if json.Valid(raw) {
			return json.RawMessage(raw)
		}
	}
	return raw
}

func decimal(s string) any {
	if digits := strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(s), "0"); len(digits) > exactDigits || !json.Valid([]byte(s)) {
		return s
	}
	return json.Number(s)
}

// moment is a TIMESTAMP in RFC 3339. The zero of old, on no day of any month, stays as it is.
func moment(s string) string {
	if strings.HasPrefix(s, "0000") {
		return s
	}
	return strings.Replace(s, " ", "T", 1) + "Z"
}

// bits is a BIT(n), of at most 64 bits with the highest first.
func bits(raw []byte) any {
	var n uint64
	for _, b := range raw {
		n = n<<8 | uint64(b)
	}
	return n
}
