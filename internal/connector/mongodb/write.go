package mongodb

import (
	"context"
	"encoding/json"

	"github.com/google/jsonschema-go/jsonschema"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
)

// Operations of DB_WRITE.
const (
	inserting = "insert"
	updating  = "update"
	deleting  = "delete"
)

type writeInput struct {
	Collection string            `json:"collection" jsonschema:"name of the collection"`
	Operation  string            `json:"operation" jsonschema:"insert, update or delete"`
	Documents  []json.RawMessage `json:"documents,omitempty" jsonschema:"to insert: the documents in Extended JSON, without _id, which is chosen"`
	Filter     json.RawMessage   `json:"filter,omitempty" jsonschema:"to update or delete: which document, in MongoDB's query language; it has to fit exactly one"`
	Update     json.RawMessage   `json:"update,omitempty" jsonschema:"to update: the changes, such as {\"$set\": {\"status\": \"done\"}}"`
}

type writeResult struct {
	Operation   string   `json:"operation"`
	Count       int      `json:"count" jsonschema:"how many documents were inserted, updated or deleted"`
	InsertedIDs []string `json:"inserted_ids,omitempty" jsonschema:"the _id of each inserted document, for {\"$oid\": …}"`
}

func writeTool() connector.Tool {
	return connector.Typed[writeInput, writeResult]{
		Tool: connector.Tool{
			Name: "DB_WRITE", Title: "Change {name}", Class: automation.Effect, Untrusted: true, Private: true, Needs: database.Writes,
			Description: "Change {name}: insert up to 100 documents, or update or delete the one document that a filter fits. " +
				"An updated document keeps a field _steward that says which call changed it last.",
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			p["operation"].Enum = []any{inserting, updating, deleting}
			objects(p["documents"].Items, p["filter"], p["update"])
			p["documents"].MaxItems = jsonschema.Ptr(mostDocuments)
		},
		Call: write, Probe: probe,
	}.Build()
}

// change is what a call wants, read and judged.
type change interface {
	// settle finds out what an earlier attempt came to, and sees to it that it comes to nothing more if it has not.
	settle(ctx context.Context, c *mongo.Collection, call connector.Call) (automation.Outcome, writeResult, error)
	// do does it.
	do(ctx context.Context, c *mongo.Collection, call connector.Call) (writeResult, error)
}

func write(ctx context.Context, s *connector.Session, c connector.Call, in writeInput) (writeResult, error) {
	change, err := in.change()
	if err != nil {
		return writeResult{}, refused(err)
	}
	ctx, cancel := context.WithTimeout(ctx, database.QueryTime)
	defer cancel()
	_, db, err := session(ctx, s)
	if err != nil {
		return writeResult{}, err
	}
	target := primary(db, in.Collection)
	if c.Receipt != "" { // an earlier attempt may have come far, and someone says to go on
		outcome, standing, err := change.settle(ctx, target, c)
		if err != nil {
			return writeResult{}, readFailure(err)
		}
		if outcome == automation.OutcomeDone {
			return standing, nil
		}
	}
	return change.do(ctx, target, c)
}

// probe finds out by the receipts what became of a call. Without one nothing was sent that changes data, and nothing
// will be: an attempt that cannot note its receipt stops.
func probe(ctx context.Context, s *connector.Session, c connector.Call, in writeInput) (automation.Outcome, writeResult, error) {
	if c.Receipt == "" {
		return automation.OutcomeFailed, writeResult{}, nil
	}
	change, err := in.change()
	if err != nil {
		return automation.OutcomeUnknown, writeResult{}, refused(err)
	}
	ctx, cancel := context.WithTimeout(ctx, database.QueryTime)
	defer cancel()
	_, db, err := session(ctx, s)
	if err != nil {
		return automation.OutcomeUnknown, writeResult{}, err
	}
	outcome, result, err := change.settle(ctx, primary(db, in.Collection), c)
	if err != nil {
		return automation.OutcomeUnknown, writeResult{}, readFailure(err)
	}
	return outcome, result, nil
}
