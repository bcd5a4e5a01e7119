package google

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// consent is what the button of an account sends on the consent page; nil if the page has none.
func consent(t testing.TB, page Page, address string) *http.Request {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page.Body))
	require.NoError(t, err)
	for node := range doc.Descendants() {
		if node.Type != html.ElementNode || node.Data != "form" {
			continue
		}
		fields := inputs(node)
		if fields.Get("email") != address {
			continue
		}
		action, err := page.URL.Parse(attribute(node, "action"))
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, action.String(), strings.NewReader(fields.Encode()))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return req
	}
	return nil
}

func inputs(form *html.Node) url.Values {
	fields := url.Values{}
	for node := range form.Descendants() {
		if node.Type == html.ElementNode && node.Data == "input" {
			fields.Add(attribute(node, "name"), attribute(node, "value"))
		}
	}
	return fields
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
