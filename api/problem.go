package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/fault"
	"steward/internal/store"
)

// Problem is the one shape of every error answer: RFC 9457 with the members that clients of the older
// services read (code, request_id, errors, success, error). It never holds a rejected value, SQL, a
// path, a host or a stack.
type Problem struct {
	Type      string      `json:"type" format:"uri" doc:"A stable URI of the sort of problem: urn:steward:problem: and the code." example:"urn:steward:problem:not_found"`
	Title     string      `json:"title" doc:"The status in words." example:"Not Found"`
	Status    int         `json:"status" doc:"The HTTP status." minimum:"400" maximum:"599" example:"404"`
	Detail    string      `json:"detail" doc:"What went wrong, for a person." example:"no such run"`
	Code      string      `json:"code" doc:"Stable, for programs." example:"not_found"`
	RequestID string      `json:"request_id" doc:"Quote it when you report a problem; the log has it." example:"019aa4f0-8a5c-7d5e-b0a6-3f5d0f3c1a77"`
	Errors    []Complaint `json:"errors" doc:"What is wrong with the input, field by field; empty when the input is not to blame."`
	Success   bool        `json:"success" enum:"false" doc:"Always false." example:"false"`
	Text      string      `json:"error" doc:"The same as detail." example:"no such run"`

	CallID     string `json:"call_id,omitempty" doc:"Of a tool call whose outcome is not known: GET /mcp/tool/calls/{id} has what becomes known." example:"call_6ZV5Q2P7HGUS4YTNQWX3DKEMLA"`
	ConnectURL string `json:"connect_url,omitempty" format:"uri" doc:"Where the user consents to what the call needs: a link of ours for their browser, for 15 minutes and once." example:"http://127.0.0.1:8000/auth/google/login?link=eyJpZCI6IjEifQ.c2lnbmF0dXJl"`

	retryAfter time.Duration
}

// Complaint is one precise complaint about the input. It does not repeat the value.
type Complaint struct {
	Location string `json:"location" doc:"Where: body, query, path or header, then the field." example:"body.limits.steps"`
	Message  string `json:"message" doc:"What is wrong there." example:"expected number >= 1"`
}

// Error is the detail. With GetStatus and ContentType it makes Problem Huma's error type.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is RFC 9457's.
func (p *Problem) ContentType(string) string { return problemJSON }

const problemJSON = "application/problem+json"

// statusOf maps kinds to statuses. Everything else in this file follows from it.
var statusOf = map[fault.Kind]int{
	fault.Invalid:      http.StatusUnprocessableEntity,
	fault.Malformed:    http.StatusBadRequest,
	fault.Unauthorized: http.StatusUnauthorized,
	fault.Forbidden:    http.StatusForbidden,
	fault.NotFound:     http.StatusNotFound,
	fault.Conflict:     http.StatusConflict,
	fault.Exhausted:    http.StatusTooManyRequests,
	fault.Upstream:     http.StatusBadGateway,
	fault.Unavailable:  http.StatusServiceUnavailable,
	fault.Internal:     http.StatusInternalServerError,
}

// codeOf names the statuses that arise at the edge itself, before any fault exists.
var codeOf = map[int]string{
	http.StatusBadRequest:            "malformed",
	http.StatusUnauthorized:          "unauthorized",
	http.StatusForbidden:             "forbidden",
	http.StatusNotFound:              "not_found",
	http.StatusMethodNotAllowed:      "method_not_allowed",
	http.StatusRequestTimeout:        "request_timeout",
	http.StatusConflict:              "conflict",
	http.StatusRequestEntityTooLarge: "too_large",
	http.StatusUnsupportedMediaType:  "unsupported_media_type",
	http.StatusMisdirectedRequest:    "misdirected_request",
	http.StatusUnprocessableEntity:   "invalid",
	http.StatusTooManyRequests:       "rate_limited",
	http.StatusBadGateway:            "upstream",
	http.StatusServiceUnavailable:    "unavailable",
}

func newProblem(status int, code, detail string) *Problem {
	if code == "" {
		code = codeOf[status]
	}
	if code == "" {
		status, code, detail = http.StatusInternalServerError, "internal", internalText
	}
	return &Problem{
		Type: "urn:steward:problem:" + code, Title: http.StatusText(status), Status: status,
		Detail: detail, Text: detail, Code: code, Errors: []Complaint{},
	}
}

const internalText = "internal error; the log has the details under this request_id"

// problemOf is the mapping from an error to what a person may read. The text of an error that is no
// fault is never shown: it goes to the log.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Kind != fault.Internal {
		p := newProblem(statusOf[e.Kind], fault.CodeOf(e), e.Msg)
		p.retryAfter = e.RetryAfter
		for _, f := range e.Fields {
			p.Errors = append(p.Errors, Complaint(f))
		}
		if more, ok := errors.AsType[*furnished](err); ok {
			p.CallID, p.ConnectURL = more.callID, more.connectURL
		}
		return p
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return newProblem(http.StatusRequestEntityTooLarge, "", "the request body is too large")
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return newProblem(http.StatusBadRequest, "", "the request body ended early")
	case errors.Is(err, context.Canceled):
		return newProblem(http.StatusServiceUnavailable, "cancelled", "the request was cancelled")
	case store.IsUnavailable(err):
		p := newProblem(http.StatusServiceUnavailable, "database_unavailable", "the database cannot be reached; nothing is lost, try again")
		p.retryAfter = time.Second
		return p
	}
	return newProblem(http.StatusInternalServerError, "internal", internalText)
}

// rejected turns what Huma complains about (wrong types, missing and unknown fields, bodies it cannot
// read) into a problem, without the rejected values that Huma would echo.
func rejected(status int, msg string, errs []error) *Problem {
	if status >= http.StatusInternalServerError {
		return problemOf(errors.Join(errs...))
	}
	p := newProblem(status, "", msg)
	for _, err := range errs {
		if detail, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			p.Errors = append(p.Errors, Complaint{Location: cut(detail.Location), Message: cut(detail.Message)})
		} else if err != nil {
			return problemOf(err)
		}
	}
	switch n := len(p.Errors); {
	case n == 1:
		p.Detail = p.Errors[0].Location + ": " + p.Errors[0].Message
	case n > 1:
		p.Detail = fmt.Sprintf("%d fields of the request are not valid", n)
	}
	p.Text = p.Detail
	return p
}

// cut bounds text that holds a name the caller chose, such as that of an unknown field.
func cut(s string) string {
	const limit = 200
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}

// setHeaders writes the headers that belong to p.
func (p *Problem) setHeaders(set func(name, value string)) {
	if p.retryAfter > 0 {
		set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
}

// humaProblem is Huma's hook for every error inside an operation: of handlers, of resolvers, of
// validation.
func humaProblem(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
	p := rejected(status, msg, errs)
	var cause error
	if status >= http.StatusInternalServerError {
		cause = errors.Join(errs...) // below, Huma's own complaints: their text repeats what was rejected
	}
	note(ctx.Context(), p, cause)
	p.setHeaders(ctx.SetHeader)
	return p
}

// refuse answers an error where no operation is in charge: unknown paths, refused hosts, panics.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	note(r.Context(), p, err)
	p.setHeaders(w.Header().Set)
	w.Header().Set("Content-Type", problemJSON)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the caller has gone if this fails
}
