package google

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"steward/internal/automation"
	"steward/internal/connector"
)

const (
	// sendTime bounds a request that is noted: it leaves by then, or not at all.
	sendTime = 30 * time.Second
	// late is how long Google may still be at work on a request whose sender has had an answer of no use, or none.
	late = 10 * time.Second
	// again is how long a probe waits before it looks again.
	again = 500 * time.Millisecond
)

// Receipt is noted in the ledger before a request that cannot be called back.
type Receipt struct {
	Mark string `json:"mark"` // what tells afterwards whether it took effect: an id, or a version
	At   int64  `json:"at"`   // seconds since 1970; 0: not known
}

// ReceiptOf is what an earlier attempt has noted. Older ones have noted the mark alone.
func ReceiptOf(c connector.Call) Receipt {
	var r Receipt
	if err := json.Unmarshal([]byte(c.Receipt), &r); err != nil || r.Mark == "" {
		return Receipt{Mark: c.Receipt}
	}
	return r
}

// Note notes a mark and the time. The request is made in the context that is returned, which ends early enough for
// Look. After an error it must not be made, and there is nothing to cancel.
func Note(ctx context.Context, c connector.Call, mark string) (context.Context, context.CancelFunc, error) {
	doc, err := json.Marshal(Receipt{Mark: mark, At: time.Now().Unix()})
	if err != nil {
		return nil, nil, fmt.Errorf("encode receipt: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime) // counts from before the note
	if err := c.Note(ctx, string(doc)); err != nil {
		cancel()
		return nil, nil, err
	}
	return ctx, cancel, nil
}

// Look looks for what the request of a receipt has done. Google works on for a while when its answer is lost or it has
// answered that it failed, so what is not there has failed only when nothing can be under way any more: some time after
// this question, which nobody asks before the sender is done, or after the last moment at which the request could leave.
func Look[Out any](
	ctx context.Context, r Receipt, look func(context.Context) (automation.Outcome, Out, error),
) (automation.Outcome, Out, error) {
	gone := time.Now().Add(late)
	if last := time.Unix(r.At, 0).Add(sendTime + late); r.At != 0 && last.Before(gone) {
		gone = last
	}
	return connector.Look(ctx, connector.Late{Gone: gone, Again: again}, look)
}
