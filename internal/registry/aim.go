package registry

import (
	"slices"

	"steward/internal/mcpclient"
	"steward/internal/secret"
)

// aim is where a request goes, with what goes along and must not come back.
type aim struct {
	mcpclient.Target

	saved *settings       // for the server
	own   []secret.String // what its user alone has given: what is stored for its inputs, and the token
}

// secrets are the values that a careless server repeats, and that nobody must read in what it says.
func (a aim) secrets() []secret.String { return slices.Concat(a.saved.guarded(), a.own) }

// withoutOwn removes from an answer what the user alone has given the server: a careless one repeats what it was sent.
func (a aim) withoutOwn(result *mcpclient.Result) {
	if result == nil || len(a.own) == 0 {
		return
	}
	redactor := secret.NewRedactor(a.own...).Exact()
	result.Content = redactor.JSON(result.Content)
	if len(result.Structured) > 0 {
		result.Structured = redactor.JSON(result.Structured)
	}
}
