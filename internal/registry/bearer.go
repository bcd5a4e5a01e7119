package registry

import (
	"errors"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"steward/internal/mcpclient"
	"steward/internal/secret"
)

// bearer is the user's own token that goes to the server, if any.
func bearer(t mcpclient.Target) secret.String {
	if t.Key.Credential == 0 {
		return secret.String{}
	}
	return secret.New(strings.TrimPrefix(t.HTTP.Header["Authorization"].Reveal(), "Bearer "))
}

// withoutBearer removes the user's own token from what the server answered: a careless server repeats what it
// was sent.
func withoutBearer(t mcpclient.Target, result *mcpclient.Result, err error) {
	token := bearer(t)
	if token.IsZero() {
		return
	}
	redactor := secret.NewRedactor(token).Exact()
	if wire, ok := errors.AsType[*jsonrpc.Error](err); ok {
		// go-sdk's own errors are shared by all who get them: what says nothing of the token stays untouched.
		if clean := redactor.Text(wire.Message); clean != wire.Message {
			wire.Message = clean
		}
	}
	if result == nil {
		return
	}
	result.Content = redactor.JSON(result.Content)
	if len(result.Structured) > 0 {
		result.Structured = redactor.JSON(result.Structured)
	}
}
