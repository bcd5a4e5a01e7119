package google

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
)

// proxy stands before the emulator.
type proxy struct {
	emulator *httputil.ReverseProxy
	site     *http.ServeMux
	ended    chan struct{} // closed with the test
	patching sync.Mutex    // one patch at a time

	mu     sync.Mutex
	counts map[Kind]int
	faults map[Kind][]Fault
	grant  Grant
	issued map[string][]issued // tokens by mail address
	ids    aliases
}

func newProxy(upstream *url.URL) *proxy {
	p := &proxy{
		ended: make(chan struct{}), counts: map[Kind]int{}, faults: map[Kind][]Fault{}, issued: map[string][]issued{},
		ids: aliases{theirs: map[string]string{}, gone: map[string]bool{}},
	}
	p.emulator = &httputil.ReverseProxy{
		// Node ends a connection after 5 s without a request, at times in the very moment of the next one.
		Transport:      &http.Transport{DisableKeepAlives: true},
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		ModifyResponse: p.mend,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
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
	f := p.next(kind)
	if f.Before != nil {
		f.arrive()
		p.wait(f.Before)
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
		p.wait(f.After)
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

// next counts a request and takes what is to happen to it.
func (p *proxy) next(kind Kind) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[kind]++
	list := p.faults[kind]
	if len(list) == 0 {
		return Fault{}
	}
	p.faults[kind] = list[1:]
	return list[0]
}

// wait waits for the test. A request whose client has gone away meanwhile goes on: it may be one that was
// under way when its sender died.
func (p *proxy) wait(until <-chan struct{}) {
	select {
	case <-until:
	case <-p.ended:
		panic(http.ErrAbortHandler)
	}
}

func (f Fault) arrive() {
	if f.Arrived != nil {
		f.Arrived <- struct{}{}
	}
}
