package google

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// history finds the emulator's ids of history records: 21 digits, a bug of emulate 0.11.2. They overflow the
// uint64 that Google documents and its Go client decodes into, so that no answer about a message could be read.
var history = regexp.MustCompile(`("(?:historyId|id)":\s*"\d{18})\d{3}"`)

// etag finds the emulator's marks of an event's version, which are its id.
var etag = regexp.MustCompile(`"etag":\s*"\\"[^"\\]+\\""`)

// version makes a mark of the event's id that is not translated: an event that is patched gets another.
func version(mark []byte) []byte { return fmt.Appendf(nil, `"etag":"\"%x\""`, sha256.Sum256(mark)) }

// mend changes answers on their way back.
func (p *proxy) mend(resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	switch {
	case strings.HasPrefix(resp.Request.URL.Path, "/gmail/"):
		body = history.ReplaceAll(body, []byte(`$1"`))
	case strings.HasPrefix(resp.Request.URL.Path, "/calendar/"):
		body = etag.ReplaceAllFunc(body, version)
	case resp.Request.URL.Path == "/oauth2/token" && resp.StatusCode == http.StatusOK:
		if body, err = p.tokens(resp.Request, body); err != nil {
			return err
		}
	}
	body = []byte(p.translation(true).Replace(string(body)))
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// tokens remembers what was issued to whom and says of it what the test wants.
func (p *proxy) tokens(r *http.Request, body []byte) ([]byte, error) {
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("decode tokens: %w", err)
	}
	form, _ := r.Context().Value(formKey{}).(url.Values)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remember(form, answer)
	if p.grant.Scopes != "" {
		answer["scope"] = p.grant.Scopes
	}
	if p.grant.Expires > 0 {
		answer["expires_in"] = int(p.grant.Expires.Seconds())
	}
	return json.Marshal(answer)
}

type formKey struct{}
