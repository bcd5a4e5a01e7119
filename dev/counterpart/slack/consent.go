package slack

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// Consent presses a person's button on the consent page at address, and returns the callback that it leads to, with
// code and state. Whoever opens that must be the browser that has begun.
func Consent(t testing.TB, address, person string) *url.URL {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	page, err := html.Parse(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode, "no consent page")
	fields := formOf(page, person)
	require.NotEmpty(t, fields, "no button of %s", person)

	action := resp.Request.URL.JoinPath("callback")
	action.RawQuery = ""
	req, err = http.NewRequestWithContext(t.Context(), http.MethodPost, action.String(), strings.NewReader(fields.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	stay := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err = stay.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	callback, err := resp.Location()
	require.NoError(t, err)
	return callback
}

// formOf is what the form with a person's name sends.
func formOf(page *html.Node, person string) url.Values {
	for node := range page.Descendants() {
		if node.Type != html.ElementNode || node.Data != "form" || !shows(node, person) {
			continue
		}
		fields := url.Values{}
		for input := range node.Descendants() {
			if input.Type == html.ElementNode && input.Data == "input" {
				fields.Add(attribute(input, "name"), attribute(input, "value"))
			}
		}
		return fields
	}
	return nil
}

func shows(node *html.Node, text string) bool {
	for inner := range node.Descendants() {
		if inner.Type == html.TextNode && strings.TrimSpace(inner.Data) == text {
			return true
		}
	}
	return false
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
