package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// Error is an answer in the shape {"error": {"message", "type", "param", "code"}}.
type Error struct {
	Status     int
	Type       string
	Code       string
	Param      string
	Message    string
	RetryAfter int // seconds; 0 means unset
}

// BadRequest is HTTP 400 about a parameter.
func BadRequest(param, code, format string, args ...any) *Error {
	return &Error{
		Status: http.StatusBadRequest, Type: "invalid_request_error",
		Param: param, Code: code, Message: fmt.Sprintf(format, args...),
	}
}

// NotFound is HTTP 404.
func NotFound(format string, args ...any) *Error {
	return &Error{Status: http.StatusNotFound, Type: "invalid_request_error", Message: fmt.Sprintf(format, args...)}
}

// Unauthorized is the answer to a request without a key.
func Unauthorized() *Error {
	return &Error{
		Status: http.StatusUnauthorized, Type: "invalid_request_error",
		Message: "You didn't provide an API key. Provide any key as a bearer token in the Authorization header.",
	}
}

// Error is for logs.
func (e *Error) Error() string { return e.Message }

// Write sends the error.
func (e *Error) Write(w http.ResponseWriter) error {
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	type body struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	return json.NewEncoder(w).Encode(map[string]body{
		"error": {e.Message, e.Type, orNull(e.Param), orNull(e.Code)},
	})
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
