package llm

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/openai/openai-go/v3/packages/ssestream"
)

// stream reads the events of one answer. Of the SDK only the framing of events is used: its own stream takes
// an end without a final event for success, and hides what follows an event named error.
type stream struct {
	guard guard
	told  func(Progress)

	id    string
	items map[int]json.RawMessage // finished output items by their place
	chars int
	err   *Error // of an event named error; a final event may still follow and say more
}

type event struct {
	Type     string
	Response json.RawMessage
	Item     json.RawMessage
	Index    int             `json:"output_index"`
	Delta    json.RawMessage // a text; some events have objects
	Error    *problem
}

// read returns the response of the final event.
func (s *stream) read(d ssestream.Decoder) (wireResponse, error) {
	s.items = map[int]json.RawMessage{}
	for d.Next() {
		data := d.Event().Data
		var e event
		if json.Unmarshal(data, &e) != nil || e.Type == "" {
			continue // "[DONE]" of OpenRouter, and what we do not know
		}
		s.told(s.progress(e))
		switch e.Type {
		case "response.output_item.done":
			s.items[e.Index] = e.Item
		case "response.completed", "response.incomplete", "response.failed", "response.cancelled":
			return s.final(e.Response)
		case "error":
			s.fail(e, data)
		}
	}
	if s.err != nil {
		return wireResponse{}, s.err
	}
	return wireResponse{}, &Error{
		Code: CodeCut, Status: 200, Retryable: true, ResponseID: s.id,
		Message: "the model provider broke off in the middle of the answer",
	}
}

// progress counts an event.
func (s *stream) progress(e event) Progress {
	p := Progress{Event: e.Type}
	var about struct{ ID, Type string }
	switch {
	case strings.HasSuffix(e.Type, ".delta"):
		var text string
		if json.Unmarshal(e.Delta, &text) == nil {
			s.chars += utf8.RuneCountInString(text)
		}
	case e.Response != nil && s.id == "":
		if json.Unmarshal(e.Response, &about) == nil && checkID(about.ID) == nil {
			s.id = s.guard.safe(about.ID)
		}
	case e.Item != nil:
		if json.Unmarshal(e.Item, &about) == nil {
			p.Item = about.Type
		}
	}
	p.OutputChars = s.chars
	return p
}

// fail keeps the problem of an error event, which stands in "error" or in the event itself.
func (s *stream) fail(e event, data []byte) {
	p := e.Error
	if p == nil {
		p = new(problem)
		_ = json.Unmarshal(data, p) // it never fails, and the event was JSON
		p.Type = ""                 // that is the event's
	}
	s.err = p.failed(s.guard)
	s.err.ResponseID = s.id
}

// final is the response of the last event, with the items that were sent before where it has none itself.
func (s *stream) final(response json.RawMessage) (wireResponse, error) {
	var w wireResponse
	if json.Unmarshal(s.guard.scrub(response), &w) != nil {
		return w, nonsense("not a response object")
	}
	if len(w.Output) == 0 {
		for _, i := range slices.Sorted(maps.Keys(s.items)) {
			w.Output = append(w.Output, s.guard.scrub(s.items[i]))
		}
	}
	return w, nil
}
