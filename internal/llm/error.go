package llm

import (
	"errors"
	"fmt"
	"time"
)

// Codes that are ours. Every other code is the provider's own, such as "rate_limit_exceeded".
const (
	CodeBadRequest  = "bad_request"   // the Request itself is wrong; nothing was sent
	CodeNetwork     = "network"       // no answer came
	CodeTimeout     = "timeout"       // no answer came in time
	CodeBadResponse = "bad_response"  // an answer came that is not one
	CodeCut         = "stream_cut"    // a stream ended before the answer did
	CodeGone        = "response_gone" // the provider no longer keeps what Start began
	CodeCancelled   = "response_cancelled"
	CodeQuota       = "insufficient_quota"
	CodeTooLong     = "context_length_exceeded"  // compact once, then ask again as a new step
	CodeConnector   = "external_connector_error" // see Server and Inner

	codeFailed = "failed" // and the provider does not say why
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
	ResponseID string        // of the answer that a cut stream began: with background it can be retrieved
	Server     string        // label of the MCP server that the provider could not use, "" if it does not say
	Inner      int           // the HTTP status that server answered, such as 401; 0 if it does not say
}

// Error is the message with code and status.
func (e *Error) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("%s (%s)", e.Message, e.Code)
	}
	return fmt.Sprintf("%s (HTTP %d, %s)", e.Message, e.Status, e.Code)
}

// asError is the *Error in err, nil if there is none.
func asError(err error) *Error {
	e, _ := errors.AsType[*Error](err)
	return e
}

// badRequest is a Request that cannot be sent.
func badRequest(why string) *Error {
	return &Error{Code: CodeBadRequest, Message: "the request to the model cannot be built: " + why}
}

// nonsense is a 200 answer that is no answer.
func nonsense(what string) *Error {
	return &Error{
		Code: CodeBadResponse, Status: 200, Retryable: true,
		Message: "the model provider sent an answer that cannot be used: " + what,
	}
}
