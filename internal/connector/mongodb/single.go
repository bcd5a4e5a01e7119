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

// marks is a field of documents that calls have changed: claims are calls about to, last is the last that did. A
// document is all that a MongoDB without transactions changes as a whole, so what tells whether a change was made is
// in the document that it was made to.
const (
	marks  = "_steward"
	claims = marks + ".claims"
	last   = marks + ".last"
)

// single updates or deletes one document in two steps, as a mail is sent from a draft: first the call's claim is
// put into the document, which changes nothing else; then the change is made to the document with that claim, which
// the change takes away. Whoever takes the claim away first decides.
type single struct {
	operation string
	filter    bson.D
	update    bson.D
}

// receipt says how far a call has come.
type receipt struct {
	Claimed bool          `bson:"claimed"` // the change may have been sent
	ID      bson.RawValue `bson:"id"`
}

// mostID bounds the _id of a document: it is noted.
const mostID = 1 << 10

func (r receipt) text() (string, error) {
	text, err := bson.MarshalExtJSON(r, true, false)
	if err == nil && len(text) > mostID {
		err = errors.New("the _id is too long")
	}
	return string(text), err
}

// changed is for a document that fits the filter no more.
func changed() *connector.Error {
	return &connector.Error{Answered: true, Reason: "the document has changed in the meantime and does not fit the filter any more: nothing was done"}
}

func (r single) do(ctx context.Context, c *mongo.Collection, call connector.Call) (writeResult, error) {
	id, found, err := r.find(ctx, c)
	if err != nil || !found {
		return writeResult{Operation: r.operation}, err
	}
	if err := r.note(ctx, call, receipt{ID: id}); err != nil {
		return writeResult{}, err
	}
	claimed, err := c.UpdateOne(ctx, r.target(id), bson.D{{Key: "$addToSet", Value: bson.D{{Key: claims, Value: call.ID}}}})
	if err != nil {
		r.withdraw(ctx, c, id, call.ID)
		return writeResult{}, readFailure(err) // a claim that was made all the same changes nothing
	}
	if claimed.MatchedCount == 0 {
		return writeResult{}, changed()
	}
	if err := r.note(ctx, call, receipt{Claimed: true, ID: id}); err != nil {
		r.withdraw(ctx, c, id, call.ID)
		return writeResult{}, err
	}
	n, err := r.apply(ctx, c, id, call.ID)
	if err == nil && n == 1 {
		return writeResult{Operation: r.operation, Count: 1}, nil
	}
	if err != nil {
		no := failure(err)
		if no.Answered {
			r.withdraw(ctx, c, id, call.ID)
		}
		return writeResult{}, no
	}
	if released, err := release(ctx, c, id, call.ID); err == nil && released {
		return writeResult{}, changed()
	}
	return writeResult{}, &connector.Error{Ran: true, Reason: "the document was changed or deleted by somebody else in the meantime"}
}

// find looks for the one document that is meant.
func (r single) find(ctx context.Context, c *mongo.Collection) (id bson.RawValue, found bool, err error) {
	cursor, err := c.Find(ctx, r.filter, options.Find().SetLimit(2).SetProjection(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return id, false, readFailure(err)
	}
	var documents []struct {
		ID bson.RawValue `bson:"_id"`
	}
	if err := cursor.All(ctx, &documents); err != nil {
		return id, false, readFailure(err)
	}
	switch len(documents) {
	case 0:
		return id, false, nil
	case 1:
		return documents[0].ID, true, nil
	}
	return id, false, refused(errors.New("the filter fits more than one document: name one, for example by its _id"))
}

func (r single) note(ctx context.Context, call connector.Call, at receipt) error {
	text, err := at.text()
	if err == nil {
		err = call.Note(ctx, text)
	}
	if err != nil {
		return &connector.Error{Reason: "the change could not be noted: it was not made", Err: err}
	}
	return nil
}

// target is the document, if it still fits the filter.
func (r single) target(id bson.RawValue, also ...bson.E) bson.D {
	return append(append(bson.D{{Key: "_id", Value: id}}, also...), bson.E{Key: "$and", Value: bson.A{r.filter}})
}

func (r single) apply(ctx context.Context, c *mongo.Collection, id bson.RawValue, call string) (int64, error) {
	target := r.target(id, bson.E{Key: claims, Value: call})
	if r.operation == deleting {
		result, err := c.DeleteOne(ctx, target)
		if err != nil {
			return 0, err
		}
		return result.DeletedCount, nil
	}
	update := with(with(r.update, "$set", last, call), "$pull", claims, call)
	result, err := c.UpdateOne(ctx, target, update)
	if err != nil {
		return 0, err
	}
	return result.MatchedCount, nil
}

// release takes the claim away; true: it was still there, so the change was not made and cannot be made any more.
func release(ctx context.Context, c *mongo.Collection, id bson.RawValue, call string) (bool, error) {
	result, err := c.UpdateOne(ctx, bson.D{{Key: "_id", Value: id}, {Key: claims, Value: call}},
		bson.D{{Key: "$pull", Value: bson.D{{Key: claims, Value: call}}}})
	if err != nil {
		return false, err
	}
	return result.MatchedCount == 1, nil
}

// withdraw is release for a claim that is of no use any more, and does no harm where it stays.
func (r single) withdraw(ctx context.Context, c *mongo.Collection, id bson.RawValue, call string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	_, _ = release(ctx, c, id, call)
}

func (r single) settle(ctx context.Context, c *mongo.Collection, call connector.Call) (automation.Outcome, writeResult, error) {
	var at receipt
	if err := bson.UnmarshalExtJSON([]byte(call.Receipt), true, &at); err != nil {
		return automation.OutcomeUnknown, writeResult{}, fmt.Errorf("read receipt: %w", err)
	}
	released, err := release(ctx, c, at.ID, call.ID)
	switch {
	case err != nil:
		return automation.OutcomeUnknown, writeResult{}, err
	case released || !at.Claimed:
		return automation.OutcomeFailed, writeResult{}, nil
	}
	return r.trace(ctx, c, at.ID, call.ID)
}

// trace reads what is left of a change whose claim is gone.
func (r single) trace(ctx context.Context, c *mongo.Collection, id bson.RawValue, call string) (automation.Outcome, writeResult, error) {
	var left struct {
		Marks struct {
			Last string `bson:"last"`
		} `bson:"_steward"`
	}
	err := c.FindOne(ctx, bson.D{{Key: "_id", Value: id}}, options.FindOne().SetProjection(bson.D{{Key: marks, Value: 1}})).Decode(&left)
	gone := errors.Is(err, mongo.ErrNoDocuments)
	done := writeResult{Operation: r.operation, Count: 1}
	switch {
	case err != nil && !gone:
		return automation.OutcomeUnknown, writeResult{}, err
	case r.operation == deleting && gone:
		return automation.OutcomeDone, done, nil
	case r.operation == deleting: // without the claim it was not deleted, and will not be
		return automation.OutcomeFailed, writeResult{}, nil
	case !gone && left.Marks.Last == call:
		return automation.OutcomeDone, done, nil
	}
	return automation.OutcomeUnknown, writeResult{}, nil // somebody else has changed it since, or deleted it
}
