package database

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// Limits of one answer (security.md T-09). What is cut off is said.
const (
	MostRows  = 1000
	MostBytes = 1 << 20
	QueryTime = 15 * time.Second
)

// roomAround is what an Answer takes beside its columns and rows, in bytes.
const roomAround = 512

// Rows are an answer in the making. The zero value of its limits is the most.
type Rows struct {
	columns []string
	keys    [][]byte // of the columns, as members of an object
	rows    []any
	bytes   int
	most    int
	cut     string
}

// Answer is rows as a tool gives them.
type Answer struct {
	Columns   []string `json:"columns" jsonschema:"names of the columns, in order"`
	Rows      []any    `json:"rows" jsonschema:"one object a row, its members in the order of the columns"`
	RowCount  int      `json:"row_count" jsonschema:"how many rows are in this answer"`
	Truncated bool     `json:"truncated" jsonschema:"true: there are more rows than these"`
	Note      string   `json:"note,omitempty" jsonschema:"why the answer was truncated, and what to do"`
}

// NewRows begins an answer that has no more rows than most (0: MostRows). Names that stand twice among the columns get a number.
func NewRows(columns []string, most int) *Rows {
	if most <= 0 || most > MostRows {
		most = MostRows
	}
	r := &Rows{columns: make([]string, 0, len(columns)), rows: []any{}, bytes: roomAround, most: most}
	taken := map[string]bool{}
	for i, name := range columns {
		if name == "" {
			name = "column_" + strconv.Itoa(i+1)
		}
		unique := name
		for n := 2; taken[unique]; n++ {
			unique = name + "_" + strconv.Itoa(n)
		}
		taken[unique] = true
		r.columns, r.keys = append(r.columns, unique), append(r.keys, member(unique))
		r.bytes += len(r.keys[i])
	}
	return r
}

// Add takes a row with a value for each column; false: there is no room for it, and reading may stop.
func (r *Rows) Add(values []any) (bool, error) {
	if len(r.rows) == r.most {
		r.cut = fmt.Sprintf("only the first %d rows are here: narrow the query, or ask for fewer at a time", r.most)
		return false, nil
	}
	row, err := r.encode(values)
	if err != nil {
		return false, err
	}
	if r.bytes+len(row)+1 > MostBytes {
		r.cut = fmt.Sprintf("the rest did not fit into %d bytes: select fewer columns or rows", MostBytes)
		return false, nil
	}
	r.bytes += len(row) + 1
	r.rows = append(r.rows, row)
	return true, nil
}

// member is a name with what follows it in an object.
func member(name string) []byte {
	key, err := json.Marshal(name)
	if err != nil {
		panic(err) // a string has a form in JSON
	}
	return append(key, ':')
}

// encode writes a row as an object. A Go map would lose the order of the columns.
func (r *Rows) encode(values []any) (json.RawMessage, error) {
	if len(values) != len(r.columns) {
		return nil, fmt.Errorf("encode row: %d values for %d columns", len(values), len(r.columns))
	}
	doc := []byte{'{'}
	for i, key := range r.keys {
		if i > 0 {
			doc = append(doc, ',')
		}
		value, err := json.Marshal(Plain(values[i]))
		if err != nil {
			return nil, fmt.Errorf("encode column %s: %w", r.columns[i], err)
		}
		doc = append(append(doc, key...), value...)
	}
	return append(doc, '}'), nil
}

// Answer ends it.
func (r *Rows) Answer() Answer {
	return Answer{Columns: r.columns, Rows: r.rows, RowCount: len(r.rows), Truncated: r.cut != "", Note: r.cut}
}

// maxExact is the largest whole number that every reader of JSON keeps as it is (RFC 8259 §6).
const maxExact = 1<<53 - 1

// Plain is a value as JSON can say it without a loss: times in RFC 3339, numbers that not every reader keeps as text,
// bytes that are no text in base64.
func Plain(value any) any {
	switch v := value.(type) {
	case []byte:
		if utf8.Valid(v) {
			return string(v)
		}
		return base64.StdEncoding.EncodeToString(v)
	case string:
		if !utf8.ValidString(v) {
			return base64.StdEncoding.EncodeToString([]byte(v))
		}
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case int64:
		if v > maxExact || v < -maxExact {
			return strconv.FormatInt(v, 10)
		}
	case uint64:
		if v > maxExact {
			return strconv.FormatUint(v, 10)
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return strconv.FormatFloat(v, 'g', -1, 64)
		}
	case float32:
		if wide := float64(v); math.IsNaN(wide) || math.IsInf(wide, 0) {
			return Plain(wide)
		} // encoded by itself: widened, 0.1 would be 0.10000000149011612
	}
	return value
}
