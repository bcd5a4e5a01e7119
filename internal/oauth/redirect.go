package oauth

import (
	"net/url"
	"strings"

	"steward/internal/fault"
)

// checkRedirect lets a browser go to a path of ours or to a registered origin after consent, and nowhere
// else: an open redirect would hand people over to whoever made the link.
func (s *Service) checkRedirect(text string) error {
	if text == "" || s.mayRedirect(text) {
		return nil
	}
	return fault.InvalidField("body.redirect_url", "must be of this service or of an origin that its operator has registered")
}

func (s *Service) mayRedirect(text string) bool {
	// Browsers take a backslash for a slash and skip control characters.
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return false
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.User != nil || u.Opaque != "":
		return false
	case u.Scheme == "" && u.Host == "":
		return strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//")
	}
	return s.origins[origin(u)]
}
