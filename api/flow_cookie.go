package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"steward/internal/secret"
)

// flowCookies binds flows to the browser that began them. Each flow has a cookie of its own, named after its
// state, so that two tabs do not disturb each other.
//
// It is SameSite=Lax because the callback is a navigation that comes from the provider's site.
type flowCookies struct {
	secure bool   // we are reached over https
	path   string // below which the flow happens
}

const flowCookie = "steward_flow_"

// name of the cookie that belongs to a state. Over https the prefix keeps other hosts of the same domain from
// setting it (RFC 6265bis §4.1.3.2), so that nobody can be led into a flow that somebody else began.
func (c flowCookies) name(state string) string {
	sum := sha256.Sum256([]byte(state))
	name := flowCookie + hex.EncodeToString(sum[:8])
	if c.secure {
		name = "__Host-" + name
	}
	return name
}

// set keeps a value until the flow expires.
func (c flowCookies) set(state string, value secret.String, expires time.Time) string {
	return c.cookie(state, value.Reveal(), int(time.Until(expires).Seconds()))
}

// clear drops the value.
func (c flowCookies) clear(state string) string { return c.cookie(state, "", -1) }

func (c flowCookies) cookie(state, value string, maxAge int) string {
	path := c.path
	if c.secure {
		path = "/" // the prefix demands it
	}
	cookie := http.Cookie{ //nolint:gosec // Secure follows the public URL: steward dev serves plain http on loopback
		Name: c.name(state), Value: value, Path: path, MaxAge: maxAge, HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode,
	}
	return cookie.String()
}

// read finds the value among the cookies of a request; the zero String if there is none.
func (c flowCookies) read(cookies []*http.Cookie, state string) secret.String {
	name := c.name(state)
	for _, cookie := range cookies {
		if cookie.Name == name {
			return secret.New(cookie.Value)
		}
	}
	return secret.String{}
}
