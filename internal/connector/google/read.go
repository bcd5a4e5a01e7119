package google

import (
	"errors"
	"net/http"

	"google.golang.org/api/googleapi"

	"steward/internal/connector"
)

// ReadFailure is Failure for a request that changes nothing, or nothing that could harm: the call has not happened.
func ReadFailure(s *connector.Session, service string, scopes []string, err error) *connector.Error {
	failure := *Failure(s, service, scopes, err)
	failure.Ran = false
	return &failure
}

// IsGone says that what was asked for is not there, or no longer.
func IsGone(err error) bool { return isAnswer(err, http.StatusNotFound) || IsDeleted(err) }

// IsDeleted says that it was there: Calendar tells so of an event that is deleted a second time.
func IsDeleted(err error) bool { return isAnswer(err, http.StatusGone) }

// IsTaken says that there is something already under the id that we have chosen.
func IsTaken(err error) bool { return isAnswer(err, http.StatusConflict) }

// IsChanged says that it is no longer what If-Match has named (RFC 9110 §13.1.1).
func IsChanged(err error) bool { return isAnswer(err, http.StatusPreconditionFailed) }

// Says tells whether Google's answer gives one of the reasons, such as "appNotAuthorizedToFile".
func Says(err error, reasons ...string) bool {
	answer, ok := errors.AsType[*googleapi.Error](err)
	return ok && has(answer, reasons...)
}

func isAnswer(err error, status int) bool {
	answer, ok := errors.AsType[*googleapi.Error](err)
	return ok && answer.Code == status
}
