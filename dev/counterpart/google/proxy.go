package google

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync"

	"steward/dev/counterpart"
)

// proxy stands before the emulator.
type proxy struct {
	emulator *httputil.ReverseProxy
	script   *counterpart.Script[Kind, Fault]
	site     *http.ServeMux
	patching sync.Mutex // one patch at a time

	mu     sync.Mutex
	grant  Grant
	issued map[string][]issued // tokens by mail address
	ids    aliases
}

func newProxy(emulator *httputil.ReverseProxy, script *counterpart.Script[Kind, Fault]) *proxy {
	p := &proxy{
		emulator: emulator, script: script, issued: map[string][]issued{},
		ids: aliases{theirs: map[string]string{}, gone: map[string]bool{}},
	}
	p.emulator.ModifyResponse = p.mend
	p.site = http.NewServeMux()
	for pattern, handler := range map[string]http.HandlerFunc{
		"/":                             p.forward,
		"GET " + files + "/generateIds": p.generate,
		"POST " + files:                 p.create,
		"POST /upload" + files:          p.create,
		"POST " + events:                p.create,
		"GET " + events + "/{id}":       p.getEvent,
		"PATCH " + events + "/{id}":     p.patchEvent,
		"DELETE " + events + "/{id}":    p.deleteEvent,
	} {
		p.site.HandleFunc(pattern, handler)
	}
	return p
}

// forward asks the emulator.
func (p *proxy) forward(w http.ResponseWriter, r *http.Request) {
	r, err := p.translated(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	p.emulator.ServeHTTP(w, r)
}

// ServeHTTP counts a request and lets go wrong what is to go wrong. Aborting breaks the connection.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r, form, err := formOf(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	kind := kindOf(r, form)
	f := p.script.Next(kind)
	if f.Before != nil {
		f.arrive()
		p.script.Wait(f.Before)
	}
	switch {
	case f.Lost, f.Status != 0 && f.Cut:
		panic(http.ErrAbortHandler)
	case f.Status != 0:
		f.write(w, kind)
		return
	}
	// The answer is held, and a client that goes away meanwhile has still asked.
	held := httptest.NewRecorder()
	p.site.ServeHTTP(held, r.WithContext(context.WithoutCancel(r.Context())))
	if f.Before == nil {
		f.arrive()
	}
	if f.After != nil {
		p.script.Wait(f.After)
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

func (f Fault) arrive() {
	if f.Arrived != nil {
		f.Arrived <- struct{}{}
	}
}
