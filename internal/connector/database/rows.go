package database

import (
	"bytes"
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

// Rows are an answer in the making. The zero value of its limits is the most.
type Rows struct {
	columns []string
	doc     bytes.Buffer
	count   int
	most    int
	cut     string
}

// Answer is rows as a tool gives them.
type Answer struct {
	Columns   []string        `json:"columns" jsonschema:"names of the columns, in order"`
	Rows      json.RawMessage `json:"rows" jsonschema:"one object a row"`
	RowCount  int             `json:"row_count" jsonschema:"how many rows are in this answer"`
	Truncated bool            `json:"truncated" jsonschema:"true: there are more rows than these"`
	Note      string          `json:"note,omitempty" jsonschema:"why the answer was truncated, and what to do"`
}

// NewRows begins an answer of at most most rows (0: MostRows). Names that stand twice among the columns get a number.
func NewRows(columns []string, most int) *Rows {
	if most <= 0 || most > MostRows {
		most = MostRows
	}
	r := &Rows{most: most}
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
		r.columns = append(r.columns, unique)
	}
	r.doc.WriteByte('[')
	return r
}

// Add takes a row with a value for each column; false: there is no room for it, and reading may stop.
func (r *Rows) Add(values []any) (bool, error) {
	if r.count == r.most {
		r.cut = fmt.Sprintf("only the first %d rows are here: narrow the query, or ask for fewer at a time", r.most)
		return false, nil
	}
	before := r.doc.Len()
	if r.count > 0 {
		r.doc.WriteByte(',')
	}
	r.doc.WriteByte('{')
	for i, name := range r.columns {
		if i > 0 {
			r.doc.WriteByte(',')
		}
		if err := r.put(name, values[i]); err != nil {
			return false, err
		}
	}
	r.doc.WriteByte('}')
	if r.doc.Len() >= MostBytes {
		r.doc.Truncate(before)
		r.cut = fmt.Sprintf("the rest did not fit into %d bytes: select fewer columns or rows", MostBytes)
		return false, nil
	}
	r.count++
	return true, nil
}

func (r *Rows) put(name string, value any) error {
	key, err := json.Marshal(name)
	if err != nil {
		return fmt.Errorf("encode column name: %w", err)
	}
	doc, err := json.Marshal(Plain(value))
	if err != nil {
		return fmt.Errorf("encode column %s: %w", name, err)
	}
	r.doc.Write(key)
	r.doc.WriteByte(':')
	r.doc.Write(doc)
	return nil
}

// Answer ends it.
func (r *Rows) Answer() Answer {
	columns := r.columns
	if columns == nil {
		columns = []string{}
	}
	return Answer{Columns: columns, Rows: append(bytes.Clone(r.doc.Bytes()), ']'), RowCount: r.count, Truncated: r.cut != "", Note: r.cut}
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
		return Plain(float64(v))
	}
	return value
}
