package oauth

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
)

// maxRefusal is how much of an answer is looked at.
const maxRefusal = 64 << 10

// scopeParameter is the scope of a Bearer challenge (RFC 6750 §3).
var scopeParameter = regexp.MustCompile(`\bscope="([^"]*)"`)

// insufficient is the error that such a challenge names (RFC 6750 §3.1).
var insufficient = regexp.MustCompile(`\berror="?insufficient_scope\b`)

// judge turns the answer that a scope is missing into a *ConsentError, and passes on every other.
func (b bearer) judge(a named, res *http.Response, version int64, err error) (*http.Response, error) {
	if err != nil {
		return res, err
	}
	scopes, missing := a.lacks(res)
	if !missing {
		return res, nil
	}
	discard(res)
	return nil, &ConsentError{Provider: a.name(), Scopes: scopes, Version: version, Reason: a.title() + " was not granted what this needs"}
}

func (a *openID) stale(res *http.Response) bool { return res.StatusCode == http.StatusUnauthorized }

func (a *openID) lacks(res *http.Response) ([]string, bool) {
	if res.StatusCode != http.StatusForbidden {
		return nil, false
	}
	for _, challenge := range res.Header.Values("WWW-Authenticate") {
		if insufficient.MatchString(challenge) {
			if scope := scopeParameter.FindStringSubmatch(challenge); scope != nil {
				return scopesOf(scope[1]), true
			}
			return nil, true
		}
	}
	return nil, saysInsufficient(head(res))
}

// head reads how the body of a response begins and leaves it whole; nothing if it cannot be read.
func head(res *http.Response) []byte {
	begins, err := io.ReadAll(io.LimitReader(res.Body, maxRefusal))
	res.Body = unread{io.MultiReader(bytes.NewReader(begins), res.Body), res.Body}
	if err != nil {
		return nil
	}
	return begins
}

// unread is a body whose beginning was read already.
type unread struct {
	io.Reader
	io.Closer
}

// saysInsufficient reads an error of a Google API (https://cloud.google.com/apis/design/errors), of which the
// older ones say insufficientPermissions.
func saysInsufficient(body []byte) bool {
	var answer struct {
		Error struct {
			Errors  []reason `json:"errors"`
			Details []reason `json:"details"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return false
	}
	return slices.ContainsFunc(slices.Concat(answer.Error.Errors, answer.Error.Details), func(r reason) bool {
		return r.Reason == "insufficientPermissions" || r.Reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
	})
}

type reason struct {
	Reason string `json:"reason"`
}
