package authority

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Browser is that of somebody who signs in as whoever is asked for and consents to everything.
type Browser struct{ client *http.Client }

// NewBrowser is one with an empty cookie jar.
func NewBrowser(t testing.TB) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Jar: jar, Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	t.Cleanup(client.CloseIdleConnections)
	return &Browser{client: client}
}

// Page is where a browser has arrived.
type Page struct {
	URL    *url.URL
	Status int
	Body   string
}

// steps bounds a flow: pages and redirects together.
const steps = 30

var (
	action = regexp.MustCompile(`action="([^"]+)"`)
	prompt = regexp.MustCompile(`name="prompt" value="([^"]+)"`)
)

// Open shows an address and what it leads to, but not what stop names: there the browser stays in front of it.
func (b *Browser) Open(t testing.TB, address string, stop func(*url.URL) bool) Page {
	t.Helper()
	at, err := url.Parse(address)
	require.NoError(t, err)
	var form url.Values
	for range steps {
		if stop != nil && stop(at) {
			return Page{URL: at}
		}
		page, next := b.load(t, at, form)
		form = nil
		if next == nil {
			next, form = filled(t, page)
		}
		if next == nil {
			return page
		}
		at = next
	}
	require.FailNow(t, "the flow does not end")
	return Page{}
}

func (b *Browser) load(t testing.TB, at *url.URL, form url.Values) (Page, *url.URL) {
	t.Helper()
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	req, err := http.NewRequestWithContext(t.Context(), method, at.String(), strings.NewReader(body))
	require.NoError(t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.client.Do(req)
	require.NoError(t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	if res.StatusCode/100 != 3 {
		return Page{URL: at, Status: res.StatusCode, Body: string(text)}, nil
	}
	next, err := res.Location()
	require.NoError(t, err)
	return Page{}, next
}

// filled is the login or consent form of a page, filled in; nil if it has none.
func filled(t testing.TB, page Page) (*url.URL, url.Values) {
	t.Helper()
	where, asked := action.FindStringSubmatch(page.Body), prompt.FindStringSubmatch(page.Body)
	if where == nil || asked == nil {
		return nil, nil
	}
	to, err := page.URL.Parse(where[1])
	require.NoError(t, err)
	return to, url.Values{"prompt": {asked[1]}, "login": {"alice"}, "password": {"x"}}
}
