package mongodb

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Limits of what is sent.
const (
	mostText   = 64 << 10 // bytes of one argument
	mostDepth  = 32
	mostNodes  = 10_000
	mostStages = 50
)

// parse reads a value in Extended JSON. What is judged afterwards is what is sent: the text is read only here.
func parse(text json.RawMessage, what string) (any, error) {
	if len(text) > mostText {
		return nil, fmt.Errorf("%s is longer than %d bytes", what, mostText)
	}
	if !json.Valid(text) {
		return nil, fmt.Errorf("%s is not JSON", what)
	}
	var doc bson.D
	if err := bson.UnmarshalExtJSON(slices.Concat([]byte(`{"value":`), text, []byte(`}`)), false, &doc); err != nil || len(doc) != 1 {
		return nil, fmt.Errorf("%s is not MongoDB Extended JSON", what)
	}
	return doc[0].Value, nil
}

// document is parse for an object; nothing at all is an empty one.
func document(text json.RawMessage, what string) (bson.D, error) {
	if len(text) == 0 || string(text) == "null" {
		return bson.D{}, nil
	}
	value, err := parse(text, what)
	if err != nil {
		return nil, err
	}
	doc, ok := value.(bson.D)
	if !ok {
		return nil, fmt.Errorf("%s is not an object", what)
	}
	return doc, nil
}

// walker visits every key and value of a request. It is for one request: it counts.
type walker struct{ nodes int }

// visit lets a value pass whose every operator is in the set, and which holds nothing but data.
func (w *walker) visit(value any, allowed set, depth int) error {
	if w.nodes++; w.nodes > mostNodes || depth > mostDepth {
		return fmt.Errorf("the request is nested deeper than %d or has more than %d parts", mostDepth, mostNodes)
	}
	switch v := value.(type) {
	case bson.D:
		return w.object(v, allowed, depth)
	case bson.A:
		for _, item := range v {
			if err := w.visit(item, allowed, depth+1); err != nil {
				return err
			}
		}
		return nil
	case string:
		return allowed.text(v)
	case nil, bool, int32, int64, float64, bson.ObjectID, bson.DateTime, bson.Decimal128, bson.Binary, bson.Regex,
		bson.Timestamp, bson.MinKey, bson.MaxKey:
		return nil
	default: // code, among others
		return errors.New("the request holds a value of a type that is not data")
	}
}

func (w *walker) object(doc bson.D, allowed set, depth int) error {
	if err := checkKeys(doc); err != nil {
		return err
	}
	for _, e := range doc {
		inner := allowed
		if strings.HasPrefix(e.Key, "$") {
			if !allowed.has(e.Key) {
				return fmt.Errorf("the operator %s is not allowed here", clean(e.Key))
			}
			if e.Key == "$expr" {
				inner = expressions
			}
		}
		if err := w.visit(e.Value, inner, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// checkKeys refuses what servers and readers may understand differently.
func checkKeys(doc bson.D) error {
	seen := make(map[string]bool, len(doc))
	for _, e := range doc {
		switch {
		case seen[e.Key]:
			return fmt.Errorf("the key %s stands twice in one object", clean(e.Key))
		case strings.ContainsRune(e.Key, 0):
			return errors.New("a key holds a zero byte")
		}
		seen[e.Key] = true
	}
	return nil
}

// checkCollection refuses names of the server's own collections, which hold accounts and profiles.
func checkCollection(name string) error {
	switch {
	case name == "":
		return errors.New("collection is missing")
	case len(name) > 200 || strings.ContainsAny(name, "$\x00"):
		return errors.New("collection is not a collection's name")
	case strings.HasPrefix(strings.ToLower(name), "system.") || strings.Contains(strings.ToLower(name), ".system."):
		return errors.New("collections of the server itself are not read")
	}
	return nil
}
