package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// shareErrors documents each error status once, with its meaning, an example and the headers that come
// with it, and lets operations refer to it.
func shareErrors(doc *huma.OpenAPI, op *huma.Operation) {
	for code, response := range op.Responses {
		status, err := strconv.Atoi(code)
		if err != nil || status < http.StatusBadRequest {
			continue
		}
		name := strings.ReplaceAll(http.StatusText(status), " ", "")
		if doc.Components.Responses[name] == nil {
			response.Description = meaning[status]
			response.Content[problemJSON].Example = exampleProblem(status)
			response.Headers = errorHeaders(status)
			doc.Components.Responses[name] = response
		}
		op.Responses[code] = &huma.Response{Ref: "#/components/responses/" + name}
	}
}

func errorHeaders(status int) map[string]*huma.Param {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return map[string]*huma.Param{"WWW-Authenticate": textHeader("The scheme to use, with the reason (RFC 6750 §3).")}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return map[string]*huma.Param{"Retry-After": textHeader("Seconds to wait before the next try.")}
	}
	return nil
}

func textHeader(description string) *huma.Param {
	return &huma.Param{Description: description, Schema: &huma.Schema{Type: huma.TypeString}}
}

// meaning says what a status stands for in this API.
var meaning = map[int]string{
	http.StatusBadRequest:            "The body is not JSON, the query cannot be parsed, or a sign-in is not the one that this browser began.",
	http.StatusUnauthorized:          "No valid token or key came with the request.",
	http.StatusForbidden:             "The caller's role or scopes do not allow it, the request names somebody else's user_id, it comes from another site, or a consent or a link does not count.",
	http.StatusNotFound:              "There is no such object, or it belongs to somebody else.",
	http.StatusConflict:              "It does not fit the present state: a digest that is stale or used, a request with the same Idempotency-Key still under way.",
	http.StatusRequestEntityTooLarge: "The body is larger than allowed.",
	http.StatusUnsupportedMediaType:  "The body is not declared as application/json.",
	http.StatusMisdirectedRequest:    "The Host header names a host that this server does not answer for.",
	http.StatusUnprocessableEntity:   "Something in the request is not valid; errors says what and where.",
	http.StatusTooManyRequests:       "Too many requests or streams.",
	http.StatusInternalServerError:   "Our fault; the log has the details under request_id.",
	http.StatusBadGateway:            "The other side failed.",
	http.StatusServiceUnavailable:    "Something we depend on is away; try again.",
}

// exampleProblem is what an answer of that status looks like.
func exampleProblem(status int) *Problem {
	p := newProblem(status, "", exampleDetail[status])
	p.RequestID = "019aa4f0-8a5c-7d5e-b0a6-3f5d0f3c1a77"
	if status == http.StatusUnprocessableEntity {
		p.Errors = []Complaint{{Location: "body.limits.steps", Message: "expected number >= 1"}}
	}
	return p
}

var exampleDetail = map[int]string{
	http.StatusBadRequest:            "body: not valid JSON at byte 12",
	http.StatusUnauthorized:          "the token is expired",
	http.StatusForbidden:             "this call needs the scope runs:execute",
	http.StatusNotFound:              "no such run",
	http.StatusConflict:              "the digest is not that of the open question",
	http.StatusRequestEntityTooLarge: "the request body is too large",
	http.StatusUnsupportedMediaType:  "send the body as Content-Type: application/json",
	http.StatusMisdirectedRequest:    "this server does not answer for that host",
	http.StatusUnprocessableEntity:   "body.limits.steps: expected number >= 1",
	http.StatusTooManyRequests:       "too many requests; wait before the next",
	http.StatusInternalServerError:   internalText,
	http.StatusBadGateway:            "the other side did not answer",
	http.StatusServiceUnavailable:    "the database cannot be reached; nothing is lost, try again",
}
