package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"steward/internal/automation"
	"steward/internal/connector"
)

// The metadata of our messages (https://docs.slack.dev/messaging/message-metadata).
const (
	eventType   = "steward_call"
	payloadCall = "call"
)

// receipt is noted in the ledger before a message is posted.
type receipt struct {
	Channel string `json:"channel"`
	Thread  string `json:"thread,omitempty"`
	At      int64  `json:"at"` // seconds since 1970
}

// String is what the ledger keeps.
func (r receipt) String() string {
	doc, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and a number have a form in JSON
	}
	return string(doc)
}

const (
	// leeway is how far Slack's clock may be behind ours.
	leeway = 2 * time.Minute
	// late is how long after the note a request may still be under way: it has callTime to be answered, and what Slack
	// has received then it deals with at once. Nothing can be called back at Slack, so that before this nobody may say
	// that a message will not appear.
	late = callTime + 20*time.Second

	probePage  = 200 // messages that one request asks for
	probePages = 10
)

// probe looks for the message of a call where it was posted. Not found means that it was not posted, if it cannot be under
// way any more. A message that a person has deleted in between looks the same, and is posted again by a run.
func probe(ctx context.Context, s *connector.Session, c connector.Call) (automation.Outcome, postResult, error) {
	if c.Receipt == "" { // the note comes before anything is posted, and the attempt that could have made it has lost its fence
		return automation.OutcomeFailed, postResult{}, nil
	}
	var r receipt
	if err := json.Unmarshal([]byte(c.Receipt), &r); err != nil {
		return automation.OutcomeUnknown, postResult{}, fmt.Errorf("decode receipt: %w", err)
	}
	noted := time.Unix(r.At, 0)
	// It is looked once: Slack lets a channel be read a few times a minute.
	return connector.Look(ctx, connector.Late{Gone: noted.Add(late)}, func(ctx context.Context) (automation.Outcome, postResult, error) {
		found, whole, err := look(ctx, s, c.ID, place{r.Channel, r.Thread}, noted.Add(-leeway))
		switch {
		case err != nil:
			return automation.OutcomeUnknown, postResult{}, err
		case found != "":
			return automation.OutcomeDone, postResult{Channel: r.Channel, TS: found, Status: "posted"}, nil
		case whole:
			return automation.OutcomeFailed, postResult{}, nil
		}
		return automation.OutcomeUnknown, postResult{}, nil
	})
}

// look finds the ts of the message that bears a call's id; whole says whether everything since then was looked through.
func look(ctx context.Context, s *connector.Session, call string, at place, since time.Time) (ts string, whole bool, err error) {
	cursor := ""
	for range probePages {
		form := url.Values{
			"oldest": {strconv.FormatInt(since.Unix(), 10)}, "inclusive": {"true"}, "include_all_metadata": {"true"}, "limit": {strconv.Itoa(probePage)},
		}
		if cursor != "" {
			form.Set("cursor", cursor)
		}
		found, err := messages(ctx, s, at, form)
		if err != nil {
			return "", false, fmt.Errorf("read channel: %w", err)
		}
		for _, m := range found.Messages {
			if m.Metadata.Type == eventType && m.Metadata.Payload[payloadCall] == call {
				return m.TS, true, nil
			}
		}
		if cursor = found.Metadata.Next; cursor == "" {
			return "", true, nil
		}
	}
	return "", false, nil
}
