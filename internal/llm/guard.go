package llm

import (
	"cmp"
	"net/http"
	"regexp"
	"strings"

	"steward/internal/secret"
)

// minScrubbed is the shortest secret that is taken out of bodies. Keys and tokens are longer; a shorter one,
// such as the "none" a local server is given, would take words and parts of encrypted items with it.
const minScrubbed = 12

// guard keeps the secrets of one request out of everything that is returned for it: the provider may repeat
// them, and so may an MCP server that it has used.
type guard struct {
	values   []secret.String
	redactor *secret.Redactor
}

// guard knows the key and what the request gives to MCP servers.
func (c *Client) guard(servers []HostedServer) guard {
	g := guard{}
	if !c.key.IsZero() {
		g.values = append(g.values, c.key)
	}
	for _, s := range servers {
		if !s.Authorization.IsZero() {
			g.values = append(g.values, s.Authorization)
		}
		for _, v := range s.Headers {
			if !v.IsZero() {
				g.values = append(g.values, v)
			}
		}
	}
	var long []secret.String
	for _, v := range g.values {
		if len(v.Reveal()) >= minScrubbed {
			long = append(long, v)
		}
	}
	g.redactor = secret.NewRedactor(long...).Exact()
	return g
}

// scrub takes secrets out of the strings of a JSON body and leaves the rest byte for byte.
func (g guard) scrub(body []byte) []byte { return g.redactor.JSON(body) }

var tokenPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.\[\]-]{0,99}$`)

// token lets through what looks like an identifier and holds no secret: error texts are foreign and may
// repeat anything.
func (g guard) token(s string) string {
	if !tokenPattern.MatchString(s) {
		return ""
	}
	return g.safe(s)
}

// safe drops a text in which a secret is repeated.
func (g guard) safe(s string) string {
	for _, v := range g.values {
		if strings.Contains(s, v.Reveal()) {
			return ""
		}
	}
	return s
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// requestID is the provider's own id of the exchange; Azure has a header of its own.
func (g guard) requestID(h http.Header) string {
	id := cmp.Or(h.Get("X-Request-Id"), h.Get("Apim-Request-Id"))
	if !idPattern.MatchString(id) {
		return ""
	}
	return g.safe(id)
}
