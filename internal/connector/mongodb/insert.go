package mongodb

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"steward/internal/automation"
	"steward/internal/connector"
)

// mostDocuments fit into the last byte of an id.
const mostDocuments = 100

// insertion puts documents in under ids that are noted before: the same ids cannot be put in twice, and show afterwards
// what is there. What an attempt has sent shortly before it was lost may still arrive, so documents that are absent then
// are not said to stay absent: a person decides, and trying again is safe.
type insertion struct{ documents []bson.D }

func insertionOf(in writeInput) (insertion, error) {
	if len(in.Filter) > 0 || len(in.Update) > 0 {
		return insertion{}, errors.New("insert takes documents, and neither filter nor update")
	}
	if len(in.Documents) == 0 || len(in.Documents) > mostDocuments {
		return insertion{}, fmt.Errorf("documents: from 1 to %d are inserted at once", mostDocuments)
	}
	var out insertion
	w := &walker{}
	for _, text := range in.Documents {
		doc, err := document(text, "a document")
		if err != nil {
			return out, err
		}
		if err := w.visit(doc, plain, 0); err != nil {
			return out, err
		}
		for _, e := range doc {
			if e.Key == "_id" || e.Key == marks {
				return out, fmt.Errorf("documents: %s is chosen by the tool, so that nothing is inserted twice", e.Key)
			}
		}
		out.documents = append(out.documents, doc)
	}
	return out, nil
}

// ids are those of a receipt, which is the first of them.
func (i insertion) ids(first bson.ObjectID) []bson.ObjectID {
	out := make([]bson.ObjectID, len(i.documents))
	for n := range out {
		first[len(first)-1] = byte(n)
		out[n] = first
	}
	return out
}

func (i insertion) result(ids []bson.ObjectID) writeResult {
	out := writeResult{Operation: inserting, Count: len(ids)}
	for _, id := range ids {
		out.InsertedIDs = append(out.InsertedIDs, id.Hex())
	}
	return out
}

func (i insertion) do(ctx context.Context, c *mongo.Collection, call connector.Call) (writeResult, error) {
	first, err := bson.ObjectIDFromHex(call.Receipt)
	if err != nil {
		first = bson.NewObjectID()
		if err := call.Note(ctx, first.Hex()); err != nil {
			return writeResult{}, &connector.Error{Reason: "the insert could not be noted: it was not made", Err: err}
		}
	}
	ids := i.ids(first)
	documents := make([]any, len(ids))
	for n, doc := range i.documents {
		documents[n] = append(bson.D{{Key: "_id", Value: ids[n]}}, doc...)
	}
	// Not in order: what an earlier attempt has put in does not keep the rest out.
	_, err = c.InsertMany(ctx, documents, options.InsertMany().SetOrdered(false))
	if said, ok := errors.AsType[mongo.BulkWriteException](err); ok && len(said.WriteErrors) > 0 {
		return i.mend(ctx, c, ids, failure(err))
	}
	if err != nil {
		return writeResult{}, failure(err)
	}
	return i.result(ids), nil
}

// mend is for an answer of no to one of the documents: either it is there from an earlier attempt, or all others are
// taken out again, so that a call does all or nothing.
func (i insertion) mend(ctx context.Context, c *mongo.Collection, ids []bson.ObjectID, no *connector.Error) (writeResult, error) {
	there, err := present(ctx, c, ids)
	if err == nil && there == len(ids) {
		return i.result(ids), nil
	}
	if err == nil && there > 0 {
		_, err = c.DeleteMany(ctx, among(ids))
	}
	if err != nil {
		return writeResult{}, &connector.Error{Ran: true, Reason: "some of the documents were refused, and the others could not be taken out again", Err: err}
	}
	return writeResult{}, no
}

func (i insertion) settle(ctx context.Context, c *mongo.Collection, call connector.Call) (automation.Outcome, writeResult, error) {
	first, err := bson.ObjectIDFromHex(call.Receipt)
	if err != nil {
		return automation.OutcomeUnknown, writeResult{}, fmt.Errorf("read receipt: %w", err)
	}
	ids := i.ids(first)
	there, err := present(ctx, c, ids)
	if err != nil || there < len(ids) {
		return automation.OutcomeUnknown, writeResult{}, err
	}
	return automation.OutcomeDone, i.result(ids), nil
}

func among(ids []bson.ObjectID) bson.D {
	return bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}
}

func present(ctx context.Context, c *mongo.Collection, ids []bson.ObjectID) (int, error) {
	n, err := c.CountDocuments(ctx, among(ids))
	return int(n), err
}
