package oauth

import (
	"encoding/json"
	"net/http"
	"strings"
)

// slackRefusal is what every answer of Slack's Web API says of itself
// (https://docs.slack.dev/apis/web-api#responses).
type slackRefusal struct {
	OK     bool   `json:"ok"`
	Error  string `json:"error"`
	Needed string `json:"needed"` // scopes, with missing_scope
}

// word is the error in the words of RFC 6749 §5.2, where it has one; else Slack's.
func (r slackRefusal) word() string {
	switch r.Error {
	case "invalid_code", "code_expired", "code_already_used", "bad_redirect_uri", "invalid_refresh_token":
		return "invalid_grant"
	case "invalid_client_id", "bad_client_secret":
		return "invalid_client"
	}
	if r.ended() {
		return "invalid_grant"
	}
	return r.Error
}

// ended says that a token does not work, or no more.
func (r slackRefusal) ended() bool {
	switch r.Error {
	case "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive":
		return !r.OK
	}
	return false
}

// refusalIn reads how an answer begins. Refusals are short: what is longer than is looked at is none.
func refusalIn(begins []byte) slackRefusal {
	var r slackRefusal
	if len(begins) >= maxRefusal || json.Unmarshal(begins, &r) != nil {
		return slackRefusal{OK: true}
	}
	return r
}

func (a *slack) stale(res *http.Response) bool {
	return res.StatusCode == http.StatusUnauthorized || refusalIn(head(res)).ended()
}

func (a *slack) lacks(res *http.Response) ([]string, bool) {
	r := refusalIn(head(res))
	if r.OK || r.Error != "missing_scope" {
		return nil, false
	}
	return strings.FieldsFunc(r.Needed, func(c rune) bool { return strings.ContainsRune(",| ", c) }), true
}
