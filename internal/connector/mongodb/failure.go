package mongodb

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"steward/internal/connector"
	"steward/internal/egress"
)

// Codes of errors. https://www.mongodb.com/docs/manual/reference/error-codes/
const (
	codeUnauthorized     = 13
	codeAuthentication   = 18
	codeTimeLimit        = 50
	codeNoSuchCommand    = 59
	codeValidation       = 121
	codeDuplicate        = 11000
	mostReason           = 300 // characters of what a server says
	reasonAuthentication = "the server refused the user or the password"
)

// interrupted are errors of a server that stopped in the middle: what it was doing may have been done.
var interrupted = []int{91, 189, 262, 11600, 11601, 11602}

// readFailure is what an error means of what changes nothing.
func readFailure(err error) *connector.Error {
	e := failure(err)
	e.Ran = false
	return e
}

// failure says what an error means: who answered, and whether the request may have taken effect.
func failure(err error) *connector.Error {
	if e, ok := errors.AsType[*connector.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[topology.ServerSelectionError](err); ok {
		return unreachable(e)
	}
	if said, ok := errors.AsType[mongo.CommandError](err); ok && !said.HasErrorLabel("NetworkError") {
		return answered(int(said.Code), said.Message, err)
	}
	if said, ok := errors.AsType[mongo.WriteException](err); ok {
		if len(said.WriteErrors) > 0 {
			return answered(said.WriteErrors[0].Code, said.WriteErrors[0].Message, err)
		}
		return &connector.Error{Ran: true, Reason: "the change was made, and not every member has confirmed it", Err: err}
	}
	if said, ok := errors.AsType[mongo.BulkWriteException](err); ok && len(said.WriteErrors) > 0 {
		return answered(said.WriteErrors[0].Code, said.WriteErrors[0].Message, err)
	}
	return &connector.Error{Ran: true, Reason: "the connection to the database was lost, or it took too long", Err: err}
}

// unreachable is a request that never left.
func unreachable(e topology.ServerSelectionError) *connector.Error {
	for _, server := range e.Desc.Servers {
		if errors.Is(server.LastError, egress.ErrDenied) {
			return denied(e)
		}
	}
	return &connector.Error{Reason: "no server answers there, or none that fits the connection string", Err: e}
}

func denied(err error) *connector.Error {
	return &connector.Error{Reason: "connections to this address are not allowed here", Err: err}
}

func answered(code int, message string, err error) *connector.Error {
	e := &connector.Error{Answered: true, Err: err}
	switch code {
	case codeAuthentication:
		e.Reason = reasonAuthentication
	case codeUnauthorized:
		e.Reason = "the account may not do this"
	case codeTimeLimit:
		e.Reason = "the database stopped the request: it took longer than 15 seconds"
	case codeDuplicate:
		e.Reason = "the database says no: a document with the same value of a unique index is there already"
	case codeValidation:
		e.Reason = "the database says no: the collection does not take documents of this shape" // perhaps because of our field
	default:
		e.Reason = "the database says no: " + clean(message)
	}
	if slices.Contains(interrupted, code) {
		e.Ran, e.Answered, e.Reason = true, false, "the server was interrupted"
	}
	return e
}

// clean bounds what a server says: one line, of characters that are some.
func clean(message string) string {
	message = strings.Join(strings.Fields(strings.ToValidUTF8(message, "\uFFFD")), " ")
	if utf8.RuneCountInString(message) <= mostReason {
		return message
	}
	return string([]rune(message)[:mostReason]) + "…"
}

// refused is a request that we do not send.
func refused(err error) *connector.Error {
	return &connector.Error{Answered: true, Reason: err.Error()}
}
