package registry

import (
	"context"
	"errors"
	"net/http"

	"steward/internal/egress"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/oauth"
)

// Reason says to a person why a server did not answer, without hosts, paths or output of the server.
func Reason(err error) string {
	if need, ok := errors.AsType[*oauth.ConsentError](err); ok {
		return need.Reason
	}
	e, ok := errors.AsType[*mcpclient.Error](err)
	switch {
	case fault.KindOf(err) != fault.Internal:
		return fault.Text(err)
	case errors.Is(err, egress.ErrDenied):
		return "its address is not one that may be reached from here"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, mcpclient.ErrTooLarge):
		return "the answer is larger than 10 MiB"
	case errors.Is(err, mcpclient.ErrInputRequired):
		return "the server asks for a model's answer or for folders (sampling, roots), which no server gets here"
	case errors.Is(err, mcpclient.ErrOutput):
		return "the result is not what the tool's output schema says"
	case errors.Is(err, mcpclient.ErrTaskGone):
		return "the server does not know the task any more"
	case errors.Is(err, mcpclient.ErrElsewhere):
		return "the server redirects to another origin, which gets neither arguments nor sessions"
	case errors.Is(err, mcpclient.ErrFull):
		return "too many sessions are in use"
	case !ok:
		return "the session could not be prepared"
	}
	return reasonOf(e)
}

func reasonOf(e *mcpclient.Error) string {
	switch {
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		return "the server refused the credentials"
	case e.Status == http.StatusTooManyRequests:
		return "the server is limiting requests"
	case e.Status >= http.StatusInternalServerError:
		return "the server failed"
	}
	switch e.Stage {
	case mcpclient.StageStart:
		return "the server could not be started or reached"
	case mcpclient.StageHandshake:
		return "the server did not complete the MCP handshake"
	case mcpclient.StageSend:
		return "the session broke before the call was sent"
	case mcpclient.StageResult:
		return "the server answered with a protocol error"
	case mcpclient.StageAnswer:
	}
	return "the session broke before the answer came"
}
