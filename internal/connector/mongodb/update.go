package mongodb

import (
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// updates are the operators that change a document by what the request itself says, with the operators that may stand
// in their values. https://www.mongodb.com/docs/manual/reference/operator/update/
var updates = map[string]set{
	"$set": plain, "$unset": plain, "$inc": plain, "$min": plain, "$max": plain, "$mul": plain, "$rename": plain,
	"$push": setOf(false, "each slice sort position"), "$addToSet": setOf(false, "each"), "$pull": filters, "$pullAll": plain, "$pop": plain,
	"$currentDate": setOf(false, "type"), "$bit": plain,
}

// change reads what a call wants.
func (in writeInput) change() (change, error) {
	if err := checkCollection(in.Collection); err != nil {
		return nil, err
	}
	switch in.Operation {
	case inserting:
		return insertionOf(in)
	case updating, deleting:
		return singleOf(in)
	}
	return nil, fmt.Errorf("operation is none of %s, %s and %s", inserting, updating, deleting)
}

func singleOf(in writeInput) (single, error) {
	out := single{operation: in.Operation}
	if len(in.Documents) > 0 {
		return out, fmt.Errorf("%s takes no documents", in.Operation)
	}
	w := &walker{}
	var err error
	if out.filter, err = document(in.Filter, "filter"); err != nil {
		return out, err
	}
	if len(out.filter) == 0 {
		return out, errors.New("filter is missing: it has to fit one document")
	}
	if err := w.visit(out.filter, filters, 0); err != nil {
		return out, err
	}
	if out.update, err = document(in.Update, "update"); err != nil {
		return out, err
	}
	if (in.Operation == updating) != (len(out.update) > 0) {
		return out, errors.New("update is what an update changes, and is for nothing else")
	}
	return out, w.update(out.update)
}

func (w *walker) update(update bson.D) error {
	if err := checkKeys(update); err != nil {
		return err
	}
	for _, e := range update {
		allowed, ok := updates[e.Key]
		if !ok {
			return fmt.Errorf("%s is no operator that an update may use: begin with $set, for example", clean(e.Key))
		}
		fields, ok := e.Value.(bson.D)
		if !ok {
			return fmt.Errorf("%s takes an object of fields", e.Key)
		}
		for _, f := range fields {
			paths := []string{f.Key}
			if to, ok := f.Value.(string); ok && e.Key == "$rename" {
				paths = append(paths, to)
			}
			for _, path := range paths {
				if first, _, _ := strings.Cut(path, "."); first == "_id" || first == marks || strings.HasPrefix(first, "$") {
					return fmt.Errorf("the field %s cannot be changed", clean(first))
				}
			}
		}
		if err := w.fields(fields, allowed); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) fields(fields bson.D, allowed set) error {
	if err := checkKeys(fields); err != nil {
		return err
	}
	for _, f := range fields {
		if err := w.visit(f.Value, allowed, 2); err != nil {
			return err
		}
	}
	return nil
}

// with adds a field to an operator of an update that may have it already.
func with(update bson.D, operator, path string, value any) bson.D {
	out := make(bson.D, 0, len(update)+1)
	added := false
	for _, e := range update {
		if fields, ok := e.Value.(bson.D); ok && e.Key == operator {
			e.Value, added = append(fields[:len(fields):len(fields)], bson.E{Key: path, Value: value}), true
		}
		out = append(out, e)
	}
	if !added {
		out = append(out, bson.E{Key: operator, Value: bson.D{{Key: path, Value: value}}})
	}
	return out
}
