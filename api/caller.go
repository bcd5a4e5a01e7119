package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"steward/internal/auth"
	"steward/internal/fault"
)

// naming says where a request may name its user.
type naming int

const (
	inQuery naming = iota // there alone
	inBody                // there too
	inForm                // there too, by user_id: username is a field of the form
)

// named is the user for whom the call is made: user_id or username of the query. A backend with an API
// key may give it in the body instead, where the older service had it; that body is read here, before
// the operation reads it again, because a key without its user says nothing.
func named(r *http.Request, in naming) (string, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", fault.New(fault.Malformed, "the query cannot be parsed")
	}
	owner, err := one("query", query.Get("user_id"), query.Get("username"))
	if err != nil || owner != "" || in == inQuery || r.Body == nil {
		return owner, err
	}
	body, err := io.ReadAll(r.Body) // bounded by limitBody
	if err != nil {
		return "", fmt.Errorf("read request body: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var names struct {
		UserID   string `json:"user_id"`
		Username string `json:"username"`
	}
	if json.Unmarshal(body, &names) != nil {
		return "", nil //nolint:nilerr // the operation says precisely what is wrong with it
	}
	if in == inForm {
		return names.UserID, nil
	}
	return one("body", names.UserID, names.Username)
}

func one(where, userID, username string) (string, error) {
	switch {
	case userID == "" || userID == username:
		return username, nil
	case username == "":
		return userID, nil
	}
	return "", fault.InvalidField(where+".username", "names another user than user_id")
}

// Caller is part of every input that a user's objects belong to; the gate has already acted on it.
type Caller struct {
	UserID   string `query:"user_id" maxLength:"255" doc:"For callers with an API key: whose objects are meant; default \"default\"." example:"alice"`
	Username string `query:"username" maxLength:"255" doc:"The same as user_id." example:"alice"`
}

// errOpen marks a programming error: an operation that is open to everybody asked who calls.
var errOpen = errors.New("no principal: the operation is open")

// principal is who asks, acting for Owner.
func principal(ctx context.Context) (auth.Principal, error) {
	p, ok := ctx.Value(principalKey{}).(auth.Principal)
	if !ok {
		return p, errOpen
	}
	return p, nil
}

// principalNamed is principal for calls whose body may name the user too: it must be the same one.
func principalNamed(ctx context.Context, names ...string) (auth.Principal, error) {
	p, err := principal(ctx)
	for _, name := range names {
		if err == nil && name != "" && name != p.Owner {
			err = fault.New(fault.Forbidden, "the body names another user").WithCode(auth.CodeOwnerMismatch)
		}
	}
	return p, err
}
