package googletest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"sync"

	"steward/internal/connector"
	"steward/internal/connector/google"
)

// Attempt is one attempt at a call. It keeps what it notes as its receipt, unless Note does something else.
type Attempt struct {
	ID, Arguments string
	Note          func(context.Context, string) error

	mu      sync.Mutex
	receipt string
}

// NewAttempt makes the first attempt at a call.
func NewAttempt(arguments string) *Attempt {
	a := &Attempt{ID: "call_" + rand.Text(), Arguments: arguments}
	a.Note = func(_ context.Context, receipt string) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.receipt = receipt
		return nil
	}
	return a
}

// Again is another attempt at the same call, that finds the note of this one.
func (a *Attempt) Again() *Attempt {
	b := NewAttempt(a.Arguments)
	b.ID, b.receipt = a.ID, a.Receipt()
	return b
}

// Receipt is what was noted last.
func (a *Attempt) Receipt() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.receipt
}

// SetReceipt puts a note where one of an earlier attempt would be.
func (a *Attempt) SetReceipt(receipt string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.receipt = receipt
}

// Mark is what google.Note has noted last.
func (a *Attempt) Mark() string { return google.ReceiptOf(a.Call()).Mark }

// Ages makes the attempt one of an hour ago, if it has come to google.Note.
func (a *Attempt) Ages() {
	r := google.ReceiptOf(a.Call())
	if r.At == 0 {
		return
	}
	r.At -= 3600
	doc, err := json.Marshal(r)
	if err != nil {
		panic(err) // a string and a number have a form in JSON
	}
	a.SetReceipt(string(doc))
}

// Call is the attempt as a tool gets it.
func (a *Attempt) Call() connector.Call {
	return connector.Call{ID: a.ID, Arguments: json.RawMessage(a.Arguments), Receipt: a.Receipt(), Note: a.Note}
}
