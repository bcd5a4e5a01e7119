package oauth

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
)

// maxRefusal is how much of a 403 is looked at.
const maxRefusal = 64 << 10

// scopeParameter is the scope of a Bearer challenge (RFC 6750 §3).
var scopeParameter = regexp.MustCompile(`\bscope="([^"]*)"`)

// insufficient is the error that such a challenge names (RFC 6750 §3.1).
var insufficient = regexp.MustCompile(`\berror="?insufficient_scope\b`)

// judge turns the answer that a scope is missing into a *ConsentError, and passes on every other.
func (b bearer) judge(a *openID, res *http.Response, version int64, err error) (*http.Response, error) {
	if err != nil || res.StatusCode != http.StatusForbidden {
		return res, err
	}
	need := &ConsentError{Provider: a.Name, Version: version, Reason: a.Title + " was not granted what this needs"}
	for _, challenge := range res.Header.Values("WWW-Authenticate") {
		if insufficient.MatchString(challenge) {
			if scope := scopeParameter.FindStringSubmatch(challenge); scope != nil {
				need.Scopes = scopesOf(scope[1])
			}
			discard(res)
			return nil, need
		}
	}
	head, err := io.ReadAll(io.LimitReader(res.Body, maxRefusal))
	if err == nil && saysInsufficient(head) {
		discard(res)
		return nil, need
	}
	res.Body = unread{io.MultiReader(bytes.NewReader(head), res.Body), res.Body}
	return res, nil
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
