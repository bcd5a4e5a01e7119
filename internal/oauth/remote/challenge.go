package remote

import (
	"strings"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// Challenge is what a server says beside 401 or 403 (RFC 6750 §3, RFC 9728 §5.1). The zero value says nothing.
type Challenge struct {
	Metadata string   // where its own metadata are
	Scopes   []string // what this request needs
	Error    string   // such as invalid_token
}

// maxChallenge bounds the header that is looked at, in bytes.
const maxChallenge = 16 << 10

// ParseChallenge reads the Bearer challenge of WWW-Authenticate headers. What cannot be parsed says nothing:
// discovery goes on without it.
func ParseChallenge(headers []string) Challenge {
	size := 0
	for _, h := range headers {
		size += len(h)
	}
	if size > maxChallenge {
		return Challenge{}
	}
	all, err := oauthex.ParseWWWAuthenticate(headers)
	if err != nil {
		return Challenge{}
	}
	for _, c := range all {
		if c.Scheme == "bearer" {
			return Challenge{
				Metadata: c.Params["resource_metadata"], Scopes: strings.Fields(c.Params["scope"]), Error: c.Params["error"],
			}
		}
	}
	return Challenge{}
}

// Insufficient says that the token is good and its scopes are not (RFC 6750 §3.1): the request was refused.
func (c Challenge) Insufficient() bool { return c.Error == "insufficient_scope" }
