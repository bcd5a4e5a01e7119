package llm

import (
	"fmt"
	"time"
)

// Codes that are ours. Every other code is the provider's own, such as "rate_limit_exceeded".
const (
	CodeBadRequest  = "bad_request"  // the Request itself is wrong; nothing was sent
	CodeNetwork     = "network"      // no answer came
	CodeTimeout     = "timeout"      // no answer came in time
	CodeBadResponse = "bad_response" // an answer came that is not one
	CodeQuota       = "insufficient_quota"
	CodeTooLong     = "context_length_exceeded" // compact once, then ask again as a new step
	CodeConnector   = "external_connector_error"
)

// MaxRetryAfter is the longest wait a provider may ask for. Beyond it a person should know.
const MaxRetryAfter = 5 * time.Minute

// Error says why there is no result. It is made of our words, of codes and of numbers: never the bearer
// token, never a body, and it wraps nothing (the SDK's error holds the whole request).
type Error struct {
	Code       string        // the provider's code, or one of ours; an identifier
	Status     int           // HTTP status, 0 when no answer came
	Retryable  bool          // the same request may succeed later
	RetryAfter time.Duration // the wait the provider asked for, 0 if it did not
	Message    string        // for people
	RequestID  string        // the provider's
}

// Error is the message with code and status.
func (e *Error) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("%s (%s)", e.Message, e.Code)
	}
	return fmt.Sprintf("%s (HTTP %d, %s)", e.Message, e.Status, e.Code)
}

// nonsense is a 200 answer that is no answer. Nothing runs on the provider's side for us, so a second
// request does no harm.
func nonsense(what string) *Error {
	return &Error{
		Code: CodeBadResponse, Status: 200, Retryable: true,
		Message: "the model provider sent an answer that cannot be used: " + what,
	}
}

// failed is a response that says of itself that it failed.
func failed(code string) *Error {
	e := &Error{Code: token(code), Status: 200, Message: "the model provider failed to answer"}
	if e.Code == "" {
		e.Code = "failed"
	}
	e.Retryable = e.Code == "server_error" || e.Code == "rate_limit_exceeded"
	return e
}
