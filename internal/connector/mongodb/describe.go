package mongodb

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
)

const (
	mostCollections = 200
	mostIndexes     = 64
)

type describeInput struct {
	Collection string `json:"collection,omitempty" jsonschema:"name of one collection, for its indexes and fields; without it all collections are listed"`
}

type description struct {
	Database    string       `json:"database"`
	Collections []collection `json:"collections"`
	Truncated   bool         `json:"truncated" jsonschema:"true: there are more collections than these"`
}

type collection struct {
	Name    string      `json:"name"`
	Kind    string      `json:"kind" jsonschema:"collection, view or timeseries"`
	Count   *int64      `json:"count,omitempty" jsonschema:"how many documents, about; absent where it is not known"`
	Indexes []index     `json:"indexes,omitempty"`
	Fields  []fieldSeen `json:"fields,omitempty" jsonschema:"fields of the first documents"`
}

type index struct {
	Name   string `json:"name"`
	Key    any    `json:"key" jsonschema:"its fields, in order: 1 up, -1 down"`
	Unique bool   `json:"unique"`
}

func describeTool() connector.Tool {
	return connector.Typed[describeInput, description]{
		Tool: connector.Tool{
			Name: "DB_DESCRIBE", Title: "Describe {name}", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Describe {name}: list its collections, or say of one of them which indexes it has and which fields and types its documents have. " +
				"Fields are read from a sample.",
		},
		Call: describe,
	}.Build()
}

func describe(ctx context.Context, s *connector.Session, _ connector.Call, in describeInput) (description, error) {
	if in.Collection != "" {
		if err := checkCollection(in.Collection); err != nil {
			return description{}, refused(err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, database.QueryTime)
	defer cancel()
	_, db, err := session(ctx, s)
	if err != nil {
		return description{}, err
	}
	out := description{Database: db.Name(), Collections: []collection{}}
	if out.Collections, err = list(ctx, db, in.Collection); err != nil {
		return description{}, readFailure(err)
	}
	if in.Collection != "" {
		if len(out.Collections) == 0 {
			return description{}, &connector.Error{Answered: true, Reason: "there is no such collection, or the account may not see it"}
		}
		if err := detail(ctx, db, &out.Collections[0]); err != nil {
			return description{}, readFailure(err)
		}
		return out, nil
	}
	if len(out.Collections) > mostCollections {
		out.Collections, out.Truncated = out.Collections[:mostCollections], true
	}
	for i := range out.Collections {
		count(ctx, db, &out.Collections[i])
	}
	return out, nil
}

// list names the collections that the account may use, or the named one.
func list(ctx context.Context, db *mongo.Database, name string) ([]collection, error) {
	command := bson.D{{Key: "listCollections", Value: 1}, {Key: "nameOnly", Value: true}, {Key: "authorizedCollections", Value: true}}
	if name != "" {
		command = append(command, bson.E{Key: "filter", Value: bson.D{{Key: "name", Value: name}}})
	}
	found, err := db.RunCommandCursor(ctx, command)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close(context.WithoutCancel(ctx)) }()
	out := []collection{}
	for found.Next(ctx) && len(out) <= mostCollections*10 {
		var c struct {
			Name string `bson:"name"`
			Type string `bson:"type"`
		}
		if err := found.Decode(&c); err != nil {
			return nil, err
		}
		if checkCollection(c.Name) == nil && (name == "" || c.Name == name) {
			out = append(out, collection{Name: clean(c.Name), Kind: cmp.Or(clean(c.Type), "collection")})
		}
	}
	slices.SortFunc(out, func(a, b collection) int { return strings.Compare(a.Name, b.Name) })
	return out, found.Err()
}

// count asks the collection's own record. What the account may not count stays unknown.
func count(ctx context.Context, db *mongo.Database, c *collection) {
	if c.Kind == "view" { // would be computed
		return
	}
	var answer struct {
		N int64 `bson:"n"`
	}
	if db.RunCommand(ctx, bson.D{{Key: "count", Value: c.Name}}).Decode(&answer) == nil {
		c.Count = &answer.N
	}
}

func detail(ctx context.Context, db *mongo.Database, c *collection) error {
	count(ctx, db, c)
	if c.Kind != "view" {
		if err := readIndexes(ctx, db, c); err != nil {
			return err
		}
	}
	found, err := db.RunCommandCursor(ctx, bson.D{
		{Key: "find", Value: c.Name}, {Key: "limit", Value: int64(sampleSize)}, {Key: "batchSize", Value: int32(sampleSize)},
	})
	if err != nil {
		return err
	}
	defer func() { _ = found.Close(context.WithoutCancel(ctx)) }()
	fields := newSample()
	for found.Next(ctx) && fields.add(found.Current) {
	}
	c.Fields = fields.list()
	return found.Err()
}

func readIndexes(ctx context.Context, db *mongo.Database, c *collection) error {
	found, err := db.RunCommandCursor(ctx, bson.D{{Key: "listIndexes", Value: c.Name}})
	if err != nil {
		return err
	}
	defer func() { _ = found.Close(context.WithoutCancel(ctx)) }()
	for found.Next(ctx) && len(c.Indexes) < mostIndexes {
		var one struct {
			Name   string   `bson:"name"`
			Key    bson.Raw `bson:"key"`
			Unique bool     `bson:"unique"`
		}
		if err := found.Decode(&one); err != nil {
			return err
		}
		key := newRows(1)
		if _, err := key.add(one.Key); err != nil {
			return err
		}
		c.Indexes = append(c.Indexes, index{Name: clean(one.Name), Key: key.list[0], Unique: one.Unique})
	}
	return found.Err()
}
