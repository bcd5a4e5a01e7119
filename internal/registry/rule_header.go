package registry

import (
	"regexp"
	"slices"
	"strings"
)

// headerName is a token (RFC 9110 §5.6.2).
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$")

// Headers that are the transport's own: of the connection (RFC 9110 §7.6.1), of the message's shape, of who asks for
// whom, and of MCP.
var (
	deniedHeaders = []string{
		"host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "content-type", "content-encoding",
		"content-location", "accept", "accept-encoding", "expect", "forwarded", "via", "origin", "referer", "range", "date", "last-event-id",
		"http2-settings", "traceparent", "tracestate", "x-real-ip", "x-http-method-override", "x-original-url", "x-rewrite-url",
	}
	deniedHeaderPrefixes = []string{"proxy-", "sec-", "mcp-", "x-forwarded-", "access-control-", ":"}
)

func checkHeaderName(name string) string {
	lower := strings.ToLower(name)
	switch {
	case !headerName.MatchString(name):
		return "is not the name of a header"
	case slices.Contains(deniedHeaders, lower), slices.ContainsFunc(deniedHeaderPrefixes, func(p string) bool { return strings.HasPrefix(lower, p) }):
		return "is not allowed: the transport sets it"
	}
	return ""
}

const maxHeaderValue = 8 << 10

// checkHeaderValue lets visible ASCII with spaces inside pass (RFC 9110 §5.5): what else there is has been used to
// smuggle second headers and requests.
func checkHeaderValue(value string) string {
	switch {
	case len(value) > maxHeaderValue:
		return "is too long"
	case strings.ContainsFunc(value, func(c rune) bool { return (c < ' ' && c != '\t') || c > '~' }):
		return "must be visible ASCII: no line breaks, no other controls"
	case strings.TrimSpace(value) != value:
		return "must not begin or end with a space"
	}
	return ""
}
