package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"

	"steward/dev/counterpart"
)

// proxy stands before the emulator.
type proxy struct {
	forward *httputil.ReverseProxy
	script  *counterpart.Script[Method, Fault]

	mu     sync.Mutex
	tokens map[string]bool // that were issued: whether they work
}

func newProxy(forward *httputil.ReverseProxy, script *counterpart.Script[Method, Fault], own string) *proxy {
	return &proxy{forward: forward, script: script, tokens: map[string]bool{own: true}}
}

// ServeHTTP counts a request and lets go wrong what is to go wrong. Aborting breaks the connection.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := methodOf(r)
	f := p.script.Next(method)
	if f.Before != nil {
		f.arrive()
		p.script.Wait(f.Before)
	}
	switch {
	case f.Lost:
		panic(http.ErrAbortHandler)
	case f.Status != 0 || f.Error != "":
		f.write(w)
		return
	}
	held := httptest.NewRecorder()
	if refusal := p.refusal(r, method); refusal != "" {
		Fault{Error: refusal}.write(held)
	} else {
		p.act(held, r, method)
	}
	if f.Before == nil {
		f.arrive()
	}
	if f.Cut {
		panic(http.ErrAbortHandler)
	}
	for name, values := range held.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(held.Code)
	_, _ = w.Write(held.Body.Bytes()) // who has gone away needs no answer
}

// act asks the emulator. A client that goes away meanwhile has still asked.
func (p *proxy) act(w *httptest.ResponseRecorder, r *http.Request, method Method) {
	if method == Revoke {
		p.revoke(bearerOf(r))
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ok":true,"revoked":true}`)
		return
	}
	p.forward.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
	if method == Access {
		p.remember(w.Body.Bytes())
	}
}

// refusal is what Slack says to a token that it does not know, or no more.
func (p *proxy) refusal(r *http.Request, method Method) string {
	if !strings.HasPrefix(r.URL.Path, "/api/") || method == Access {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	works, known := p.tokens[bearerOf(r)]
	switch {
	case bearerOf(r) == "":
		return "not_authed"
	case !known:
		return "invalid_auth"
	case !works:
		return "token_revoked"
	}
	return ""
}

// remember notes the tokens of an answer.
func (p *proxy) remember(body []byte) {
	type token struct {
		Token string `json:"access_token"`
	}
	var answer struct {
		token
		User token `json:"authed_user"`
	}
	if json.NewDecoder(bytes.NewReader(body)).Decode(&answer) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range []string{answer.Token, answer.User.Token} {
		if one != "" {
			p.tokens[one] = true
		}
	}
}

func (p *proxy) revoke(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens[token] = false
}

func bearerOf(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}
