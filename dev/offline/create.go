package offline

import (
	"net/http"

	"steward/dev/offline/dialog"
	"steward/dev/offline/simulation"
	"steward/dev/offline/wire"
)

// create answers POST /v1/responses.
func (s *Server) create(w http.ResponseWriter, r *http.Request) error {
	request, err := decode(w, r)
	if err != nil {
		return err
	}
	w.Header().Set("X-Request-Id", "req_"+request.Digest())
	e, joined := s.running(request)
	if !joined {
		if e, err = s.answer(request, r.Header.Get(attemptHeader)); err != nil {
			return err
		}
		if request.Background || request.Stored() {
			s.memory.put(e)
		}
		s.log.DebugContext(r.Context(), "offline model answered",
			"id", e.final.ID, "status", e.final.Status, "items", len(e.final.Output), "background", request.Background)
	}
	switch {
	case request.Stream:
		return s.stream(w, r, e)
	case joined:
		return writeJSON(w, e.at(s.clock()))
	case request.Background:
		return writeJSON(w, e.final.Unfinished(wire.Queued))
	}
	if err := s.wait(r.Context(), e); err != nil {
		return err
	}
	return writeJSON(w, e.final)
}

// running finds the background response that the same request has started before. A repeated
// request, such as one whose answer was lost, joins it instead of starting a second one.
func (s *Server) running(request *wire.Request) (*entry, bool) {
	if !request.Background {
		return nil, false
	}
	e, ok := s.memory.get("resp_" + request.Digest())
	if !ok || !e.background() || e.isCancelled() {
		return nil, false
	}
	return e, true
}

// answer computes the response, which is done at once; the entry says when it may be seen.
func (s *Server) answer(request *wire.Request, attempt string) (*entry, error) {
	context, err := s.context(request)
	if err != nil {
		return nil, err
	}
	d := s.conversation(request, context)
	plan, rest, err := simulation.Parse(d.Instruction, request.Metadata["sim"])
	if err != nil {
		return nil, wire.BadRequest("input", "invalid_simulation", "%s", err)
	}
	d.Instruction = rest
	var reply dialog.Reply
	switch s.outage(plan, d, request.Digest(), attempt) {
	case rateLimited:
		return nil, &wire.Error{
			Status: http.StatusTooManyRequests, Type: "tokens", Code: "rate_limit_exceeded", RetryAfter: 1,
			Message: "Rate limit reached for " + Model + " (simulated). Please try again in 1s.",
		}
	case serverError:
		return nil, &wire.Error{
			Status: http.StatusInternalServerError, Type: "server_error", Code: "server_error",
			Message: "The server had an error while processing your request (simulated).",
		}
	case failedStatus:
		reply.Failed = true
	case none:
		reply = shape(s.reply(d, plan), request.Text.Format)
	}
	now := s.clock()
	return newEntry(response(request, context, reply, now), context, now.Add(plan.Delay), len(request.Instructions)), nil
}
