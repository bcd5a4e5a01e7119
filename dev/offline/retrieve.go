package offline

import (
	"net/http"

	"steward/dev/offline/wire"
)

// stored finds the response of the path.
func (s *Server) stored(r *http.Request) (*entry, error) {
	id := r.PathValue("id")
	e, ok := s.memory.get(id)
	if !ok {
		return nil, wire.NotFound("Response with id '%s' not found.", id)
	}
	return e, nil
}

// retrieve answers GET /v1/responses/{id}, with ?stream=true as events from starting_after on.
func (s *Server) retrieve(w http.ResponseWriter, r *http.Request) error {
	e, err := s.stored(r)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("stream") != "true" {
		return writeJSON(w, e.at(s.clock()))
	}
	return s.stream(w, r, e)
}

// remove answers DELETE /v1/responses/{id}.
func (s *Server) remove(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if !s.memory.remove(id) {
		return wire.NotFound("Response with id '%s' not found.", id)
	}
	return writeJSON(w, map[string]any{"id": id, "object": "response", "deleted": true})
}

// cancel answers POST /v1/responses/{id}/cancel. What is finished stays finished.
func (s *Server) cancel(w http.ResponseWriter, r *http.Request) error {
	e, err := s.stored(r)
	if err != nil {
		return err
	}
	if !e.background() {
		return wire.BadRequest("", "", "Only responses created with background=true can be cancelled.")
	}
	now := s.clock()
	if now.Before(e.ready) {
		e.cancel()
	}
	return writeJSON(w, e.at(now))
}
