package offline

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"steward/dev/offline/wire"
)

// maxBody bounds a request; a transcript with many large tool results stays well below.
const maxBody = 32 << 20

// Handler serves the routes of the Responses API below /v1. Every request needs some bearer token;
// which one makes no difference.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /v1/models":                  s.listModels,
		"GET /v1/models/{id}":             s.getModel,
		"POST /v1/responses":              s.create,
		"POST /v1/responses/input_tokens": s.countTokens,
		"GET /v1/responses/{id}":          s.retrieve,
		"DELETE /v1/responses/{id}":       s.remove,
		"POST /v1/responses/{id}/cancel":  s.cancel,
		"/": func(_ http.ResponseWriter, r *http.Request) error {
			return wire.NotFound("Invalid URL (%s %s)", r.Method, r.URL.Path)
		},
	} {
		mux.Handle(pattern, s.authenticated(handle))
	}
	return mux
}

// authenticated checks for a bearer token and writes the errors of a handler.
func (s *Server) authenticated(handle func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := error(wire.Unauthorized())
		if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "bearer") && strings.TrimSpace(token) != "" {
			err = handle(w, r)
		}
		if err == nil {
			return
		}
		if answer, ok := errors.AsType[*wire.Error](err); ok {
			err = answer.Write(w)
			s.log.DebugContext(r.Context(), "offline model refused", "path", r.URL.Path, "status", answer.Status, "why", answer.Message)
		}
		if err != nil && r.Context().Err() == nil {
			s.log.WarnContext(r.Context(), "offline model could not answer", "path", r.URL.Path, "error", err)
		}
	}
}

// decode reads the body of a request.
func decode(w http.ResponseWriter, r *http.Request) (*wire.Request, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, &wire.Error{
			Status: http.StatusRequestEntityTooLarge, Type: "invalid_request_error",
			Message: "The request body is too large.",
		}
	}
	if err != nil {
		return nil, wire.BadRequest("", "", "The request body ended early.")
	}
	request, err := wire.Decode(body)
	if err != nil {
		return nil, err
	}
	if request.Model != Model {
		return nil, wire.BadRequest("model", "model_not_found", "The requested model '%s' does not exist. This is %s: %s.", request.Model, Model, Banner)
	}
	return request, nil
}

func writeJSON(w http.ResponseWriter, value any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(value)
}
