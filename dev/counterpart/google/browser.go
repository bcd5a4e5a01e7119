package google

import (
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// Browser signs in as a person does. It keeps cookies between visits.
type Browser struct{ client http.Client }

// Page is where a visit has ended.
type Page struct {
	URL    *url.URL
	Status int
	Body   string
}

// NewBrowser makes a browser without cookies.
func NewBrowser() *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it cannot fail without options
	}
	return &Browser{client: http.Client{Jar: loopback{jar}}}
}

// loopback keeps Secure cookies of plain HTTP too: browsers count loopback as secure.
type loopback struct{ http.CookieJar }

func (l loopback) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		c.Secure = false
	}
	l.CookieJar.SetCookies(u, cookies)
}

// Open visits an address and follows where it leads.
func (b *Browser) Open(t testing.TB, address string) Page {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	return b.visit(t, &b.client, req)
}

// SignIn begins at an address that leads to Google's consent page, consents there as the account, and goes
// back to the callback. An address that is shown without a consent page ends the visit there.
func (b *Browser) SignIn(t testing.TB, start, address string) Page {
	t.Helper()
	page := b.Open(t, start)
	if req := consent(t, page, address); req != nil {
		return b.visit(t, &b.client, req)
	}
	return page
}

// Callback is like SignIn, but does not go to the callback: it returns the address, with code and state.
func (b *Browser) Callback(t testing.TB, start, address string) *url.URL {
	t.Helper()
	page := b.Open(t, start)
	req := consent(t, page, address)
	require.NotNil(t, req, "no consent page for %s: %d %s", address, page.Status, page.Body)
	stay := b.client
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := stay.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	callback, err := resp.Location()
	require.NoError(t, err)
	return callback
}

func (b *Browser) visit(t testing.TB, client *http.Client, req *http.Request) Page {
	t.Helper()
	resp, err := client.Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, errors.Join(err, resp.Body.Close()))
	return Page{URL: resp.Request.URL, Status: resp.StatusCode, Body: string(body)}
}
