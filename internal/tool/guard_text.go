package tool

import (
	"context"

	"steward/internal/store"
	"steward/internal/tool/addressee"
)

// FinalText is a run's final text as it may be shown: what hides in it is gone, and pictures and links to places
// that neither the owner nor the operator has named are inert. A model that was led to put private data into the
// address of a picture gets nobody's browser to fetch it.
func (x *Executor) FinalText(ctx context.Context, q *store.Queries, t Turn, text string) (string, error) {
	known, err := x.knownTo(ctx, q, t)
	if err != nil {
		return "", err
	}
	shown, _ := shownText(text)
	return addressee.Inert(shown, known), nil
}
