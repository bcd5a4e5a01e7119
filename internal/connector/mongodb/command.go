package mongodb

import (
	"bytes"
	"encoding/json"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"

	"steward/internal/connector/database"
)

// command is the only thing that a query can become: a find or an aggregate without any option that was not put there
// by us. One document more than asked for is fetched, to know whether there is more.
func (r request) command() (bson.D, int, error) {
	if err := checkCollection(r.Collection); err != nil {
		return nil, 0, err
	}
	if r.Limit < 0 || r.Skip < 0 {
		return nil, 0, errors.New("limit and skip are not negative")
	}
	most := database.MostRows
	if r.Limit > 0 && r.Limit < int64(most) {
		most = int(r.Limit)
	}
	var command bson.D
	var err error
	if r.Pipeline == nil {
		command, err = r.find(int64(most) + 1)
	} else {
		command, err = r.aggregate(int64(most) + 1)
	}
	return command, most, err
}

func (r request) find(batch int64) (bson.D, error) {
	command := bson.D{{Key: "find", Value: r.Collection}}
	w := &walker{}
	for _, part := range []struct {
		name    string
		text    json.RawMessage
		allowed set
	}{{"filter", r.Filter, filters}, {"projection", r.Projection, projections}, {"sort", r.Sort, expressions}} {
		doc, err := document(part.text, part.name)
		if err != nil {
			return nil, err
		}
		if err := w.visit(doc, part.allowed, 0); err != nil {
			return nil, err
		}
		if len(doc) > 0 {
			command = append(command, bson.E{Key: part.name, Value: doc})
		}
	}
	return append(command,
		bson.E{Key: "skip", Value: r.Skip}, bson.E{Key: "limit", Value: batch}, bson.E{Key: "batchSize", Value: batch},
		bson.E{Key: "allowDiskUse", Value: false},
	), nil
}

func (r request) aggregate(batch int64) (bson.D, error) {
	if r.Filter != nil || r.Projection != nil || r.Sort != nil || r.Skip != 0 {
		return nil, errors.New("pipeline stands in place of filter, projection, sort and skip: make them stages")
	}
	value, err := parse(listOf(r.Pipeline), "pipeline")
	if err != nil {
		return nil, err
	}
	w := &walker{}
	if err := w.pipeline(value, 0); err != nil {
		return nil, err
	}
	list, _ := value.(bson.A) // it is one: it has passed
	return bson.D{
		{Key: "aggregate", Value: r.Collection},
		{Key: "pipeline", Value: append(list, bson.D{{Key: "$limit", Value: batch}})},
		{Key: "cursor", Value: bson.D{{Key: "batchSize", Value: batch}}},
		{Key: "allowDiskUse", Value: false},
	}, nil
}

// listOf is the list as one text.
func listOf(items []json.RawMessage) json.RawMessage {
	parts := make([][]byte, len(items))
	for i, item := range items {
		parts[i] = item
	}
	return append(append([]byte{'['}, bytes.Join(parts, []byte{','})...), ']')
}
