package bigquery

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
)

// proxy stands before the emulator.
type proxy struct {
	forward *httputil.ReverseProxy
	token   string
}

func newProxy(upstream, token string) *proxy {
	target, err := url.Parse(upstream)
	if err != nil {
		panic(err) // we have written it
	}
	return &proxy{token: token, forward: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, ModifyResponse: mend,
	}}
}

// ServeHTTP checks the token, which the emulator does not.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+p.token {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write(refusal(http.StatusUnauthorized, "authError", "Invalid Credentials")) // who has gone away needs no answer
		return
	}
	p.forward.ServeHTTP(w, r)
}

// mend answers to an id of a job that there is already as documented: 409, duplicate.
func mend(resp *http.Response) error {
	if resp.StatusCode < http.StatusBadRequest {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if bytes.Contains(body, []byte("is already created")) {
		resp.StatusCode = http.StatusConflict
		body = refusal(http.StatusConflict, "duplicate", "Already Exists: Job")
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

func refusal(status int, reason, message string) []byte {
	doc, err := json.Marshal(map[string]any{"error": map[string]any{
		"code": status, "message": message, "errors": []any{map[string]string{"reason": reason, "message": message, "domain": "global"}},
	}})
	if err != nil {
		panic(err) // text and a number have a form in JSON
	}
	return doc
}
