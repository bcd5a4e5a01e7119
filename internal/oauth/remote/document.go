package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// errAbsent: there is no such document.
var errAbsent = errors.New("no such document")

// document reads JSON into out. A 4xx, and a page for people where a well-known document was guessed, is errAbsent.
func (c *Client) document(ctx context.Context, name, address string, out any) error {
	if err := checkURL(name, address); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	req.Header.Set("Accept", "application/json")
	res, err := c.reading.Do(req)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	defer func() { _ = res.Body.Close() }() // read to its end, or not worth it
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode >= 400 && res.StatusCode < 500, res.StatusCode == http.StatusOK && (err != nil || !isJSON(kind)):
		return fmt.Errorf("read %s: %w", name, errAbsent)
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("read %s: status %d", name, res.StatusCode)
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

func isJSON(kind string) bool { return kind == "application/json" || strings.HasSuffix(kind, "+json") }

// wellKnown inserts a well-known path between the host and the path of a URL (RFC 8615, RFC 8414 §3.1).
func wellKnown(u *url.URL, suffix string) string {
	at := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/.well-known/" + suffix}
	if path := strings.Trim(u.Path, "/"); path != "" {
		at.Path += "/" + path
	}
	return at.String()
}

// originOf is a URL without its path.
func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }
