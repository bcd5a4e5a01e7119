package redis

import (
	"context"

	"steward/internal/connector"
)

// Split is split, for its fuzz test.
var Split = split

// MostReply and MostElements bound a reply.
const (
	MostReply    = mostReply
	MostElements = mostElements
	MarkerPrefix = markerPrefix
)

// Replies follows replies as a connection does.
type Replies struct{ scanner }

// Feed takes the next bytes.
func (r *Replies) Feed(p []byte) error { return r.feed(p) }

// Between says whether a reply has just ended.
func (r *Replies) Between() bool { return len(r.open) == 0 && r.text == 0 && r.kind == 0 }

// BehindWall sends any command as a query would send one that stands on the list.
func BehindWall(ctx context.Context, l connector.Link, command ...string) (any, error) {
	r, err := l.(*link).reading(ctx)
	if err != nil {
		return nil, err
	}
	return r.do(ctx, command...)
}
