package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
)

// endpoint is an operation with what Huma cannot learn from Go types: who may call it, and examples.
// The scope stands here, beside the path, so that who may call what can be read off the OpenAPI document.
type endpoint struct {
	huma.Operation
	access

	asks    any // example of the request's body
	answers any // example of the answer's body
}

// access says who may call. The zero value is everybody who is signed in.
type access struct {
	open    bool       // nobody needs to sign in
	scope   auth.Scope // what the caller must be allowed
	creates bool       // counted as a creating call
	calls   bool       // counted as a tool call
	cookie  bool       // the codec's cookie serves as well as a token
	form    bool       // the body's username is a field of a form, and names nobody
	signIn  bool       // open, a browser's way in: counted by address, and not for HEAD, which would use it up
}

// Keys of what an operation carries for the gate, and in the document for everybody.
const (
	accessKey = "access"
	scopeKey  = "x-required-scope"
)

// handle registers one operation. Errors lists the statuses beyond those that every call may answer.
func handle[I, O any](api huma.API, e endpoint, handler func(context.Context, *I) (*O, error)) {
	op := e.Operation
	op.MaxBodyBytes = -1 // limitBody's
	op.Metadata = map[string]any{accessKey: e.access}
	op.Errors = append(slices.Clone(op.Errors), http.StatusForbidden, http.StatusMisdirectedRequest, http.StatusServiceUnavailable)
	op.Security = []map[string][]string{}
	if !e.open {
		op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusUnauthorized, http.StatusTooManyRequests)
		op.Security = []map[string][]string{{"bearer": {}}, {"apiKey": {}}}
	}
	if e.signIn {
		op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusTooManyRequests)
	}
	if e.cookie {
		op.Security = append(op.Security, map[string][]string{"codecCookie": {}})
	}
	if e.scope != "" {
		op.Extensions = map[string]any{scopeKey: e.scope}
	}
	if op.Method != http.MethodGet {
		op.Errors = append(op.Errors, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	huma.Register(api, op, handler)

	registered := operations(api.OpenAPI().Paths[op.Path])[op.Method]
	if e.asks != nil {
		registered.RequestBody.Content["application/json"].Example = e.asks
	}
	if e.answers != nil {
		registered.Responses[strconv.Itoa(registered.DefaultStatus)].Content["application/json"].Example = e.answers
	}
}

// operations lists what a path offers, by method.
func operations(p *huma.PathItem) map[string]*huma.Operation {
	all := map[string]*huma.Operation{
		http.MethodGet: p.Get, http.MethodPost: p.Post, http.MethodPut: p.Put, http.MethodPatch: p.Patch, http.MethodDelete: p.Delete,
	}
	for method, op := range all {
		if op == nil {
			delete(all, method)
		}
	}
	return all
}
