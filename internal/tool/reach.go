package tool

import (
	"context"
	"errors"
	"net/http"

	"steward/internal/mcpclient"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/store"
)

// quotable is a server's error as it may be logged: it repeats the last line of the server's stderr, and a
// careless server prints its secrets there.
func quotable(reg *registry.Registry, s *store.MCPServer, err error) error {
	if _, ok := errors.AsType[*mcpclient.Error](err); !ok {
		return err // ours
	}
	redactor, failed := reg.Redactor(s)
	if failed != nil {
		return errors.New("withheld: the server's secrets could not be read to remove them")
	}
	return errors.New(redactor.Text(err.Error()))
}

// reach says to a person why a server did not answer, without hosts, paths or output of the server.
func reach(err error) string {
	e, ok := errors.AsType[*mcpclient.Error](err)
	need, consent := errors.AsType[*oauth.ConsentError](err)
	switch {
	case consent:
		return need.Reason
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, mcpclient.ErrTooLarge):
		return "the answer is larger than 10 MiB"
	case errors.Is(err, mcpclient.ErrFull):
		return "too many sessions are in use"
	case !ok:
		return "the session could not be prepared"
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
	default:
		return "the session broke before the answer came"
	}
}
