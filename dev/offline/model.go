package offline

import (
	"net/http"

	"steward/dev/offline/wire"
)

// card is how the API describes a model.
type card struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

// created is a fixed time, so the card never changes: 2026-11-01.
var model = card{ID: Model, Object: "model", Created: 1793491200, OwnedBy: Owner}

func (s *Server) listModels(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, map[string]any{"object": "list", "data": []card{model}})
}

func (s *Server) getModel(w http.ResponseWriter, r *http.Request) error {
	if id := r.PathValue("id"); id != Model {
		return wire.NotFound("The model '%s' does not exist.", id)
	}
	return writeJSON(w, model)
}

// countTokens estimates what the input of a request costs, without answering it.
func (s *Server) countTokens(w http.ResponseWriter, r *http.Request) error {
	request, err := decode(w, r)
	if err != nil {
		return err
	}
	context, err := s.context(request)
	if err != nil {
		return err
	}
	return writeJSON(w, map[string]any{
		"object":       "response.input_tokens",
		"input_tokens": request.InputTokens(context),
	})
}
