package mcp

import (
	"net/http"

	"steward/internal/auth"
)

// Edge is what the HTTP edge does for whatever is asked of it. It is package api's.
type Edge interface {
	// Admit says who asks, by the headers alone, and counts the request. It reads nothing of the body.
	Admit(w http.ResponseWriter, r *http.Request) (auth.Principal, error)
	// Allow says whether p may do what scope stands for, and counts what is counted apart.
	Allow(w http.ResponseWriter, r *http.Request, p auth.Principal, scope auth.Scope) error
	// Enter takes one of the places that an owner has for streams; leave gives it back.
	Enter(owner string) (leave func(), err error)
	// Refuse answers with a problem, and with a challenge where a better credential would help: one with scope, if
	// that is not empty.
	Refuse(w http.ResponseWriter, r *http.Request, err error, scope auth.Scope)
}
