package mongodb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"steward/internal/connector/database"
)

// roomAround is what an answer takes beside its columns and rows, in bytes.
const roomAround = 512

// rows are documents as an answer. They have no columns in common, as the rows of database.Rows have.
type rows struct {
	columns []string
	known   map[string]bool
	list    []any
	bytes   int
	most    int
	cut     string
}

func newRows(most int) *rows {
	return &rows{columns: []string{}, known: map[string]bool{}, list: []any{}, bytes: roomAround, most: most}
}

// add takes a document; false: there is no room for it, and reading may stop.
func (r *rows) add(raw bson.Raw) (bool, error) {
	if len(r.list) == r.most {
		r.cut = fmt.Sprintf("only the first %d documents are here: narrow the filter, or sort and skip", r.most)
		return false, nil
	}
	if !shallow(raw, deepestDocument) {
		return false, errors.New("a document is nested deeper than any that MongoDB stores")
	}
	var doc bson.D
	if err := bson.Unmarshal(raw, &doc); err != nil {
		return false, fmt.Errorf("read document: %w", err)
	}
	text, err := extended(doc)
	if err != nil {
		return false, err
	}
	size := len(text) + 1
	for _, e := range doc {
		if !r.known[e.Key] {
			size += len(e.Key) + len(`"",`)
		}
	}
	if r.bytes+size > database.MostBytes {
		r.cut = fmt.Sprintf("the rest did not fit into %d bytes: project fewer fields, or ask for fewer documents", database.MostBytes)
		return false, nil
	}
	r.bytes += size
	r.list = append(r.list, json.RawMessage(text))
	for _, e := range doc {
		if !r.known[e.Key] {
			r.known[e.Key] = true
			r.columns = append(r.columns, e.Key)
		}
	}
	return true, nil
}

func (r *rows) answer() database.Answer {
	return database.Answer{Columns: r.columns, Rows: r.list, RowCount: len(r.list), Truncated: r.cut != "", Note: r.cut}
}

// deepestDocument is twice what MongoDB stores. https://www.mongodb.com/docs/manual/reference/limits/
const deepestDocument = 200

// shallow is asked before anything reads a document by calling itself for every document in it: what a hostile server
// sends would use up the stack, which ends a Go program.
func shallow(raw bson.Raw, left int) bool {
	elements, err := raw.Elements()
	if err != nil || left == 0 {
		return false
	}
	for _, e := range elements {
		switch v := e.Value(); v.Type {
		case bson.TypeEmbeddedDocument:
			if !shallow(v.Document(), left-1) {
				return false
			}
		case bson.TypeArray:
			if !shallow(bson.Raw(v.Array()), left-1) {
				return false
			}
		case bson.TypeCodeWithScope:
			return false // its scope is a document, and no driver writes one any more
		}
	}
	return true
}

// extended is a document in relaxed Extended JSON.
// https://github.com/mongodb/specifications/blob/master/source/extended-json/extended-json.md
func extended(doc bson.D) ([]byte, error) {
	text, err := bson.MarshalExtJSON(exact(doc), false, false)
	if err != nil {
		return nil, fmt.Errorf("write document: %w", err)
	}
	return bytes.ToValidUTF8(text, []byte("\uFFFD")), nil
}

// exact keeps whole numbers that not every reader of JSON keeps (RFC 8259 §6) in the canonical form.
func exact(value any) any {
	switch v := value.(type) {
	case bson.D:
		out := make(bson.D, len(v))
		for i, e := range v {
			out[i] = bson.E{Key: e.Key, Value: exact(e.Value)}
		}
		return out
	case bson.A:
		out := make(bson.A, len(v))
		for i, item := range v {
			out[i] = exact(item)
		}
		return out
	case int64:
		if text, ok := database.Plain(v).(string); ok {
			return bson.D{{Key: "$numberLong", Value: text}}
		}
	}
	return value
}
