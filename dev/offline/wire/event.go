package wire

import (
	"encoding/json"
	"fmt"
	"io"
)

// Event is one server-sent event of a streamed response.
type Event struct {
	Type         string     `json:"type"`
	Sequence     int        `json:"sequence_number"`
	Response     *Response  `json:"response,omitempty"`
	OutputIndex  *int       `json:"output_index,omitempty"`
	ContentIndex *int       `json:"content_index,omitempty"`
	ItemID       string     `json:"item_id,omitempty"`
	Item         *Output    `json:"item,omitempty"`
	Part         *Part      `json:"part,omitempty"`
	Delta        *string    `json:"delta,omitempty"`
	Text         *string    `json:"text,omitempty"`
	Refusal      *string    `json:"refusal,omitempty"`
	Arguments    *string    `json:"arguments,omitempty"`
	Name         string     `json:"name,omitempty"`
	Logprobs     []struct{} `json:"logprobs,omitzero"`
}

// Write sends the event in SSE framing.
func (e Event) Write(w io.Writer) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.Type, data)
	return err
}

// Opening are the events that are sent before the answer exists.
func Opening(final *Response) []Event {
	var s script
	if final.Background {
		s.add(Event{Type: "response.created", Response: final.Unfinished(Queued)})
		s.add(Event{Type: "response.queued", Response: final.Unfinished(Queued)})
	} else {
		s.add(Event{Type: "response.created", Response: final.Unfinished(InProgress)})
	}
	s.add(Event{Type: "response.in_progress", Response: final.Unfinished(InProgress)})
	return s.events
}

// Closing are the events of the answer, numbered on from the opening ones. The last one is
// response.completed, response.incomplete or response.failed.
func Closing(final *Response) []Event {
	s := script{next: len(Opening(final))}
	for i, output := range final.Output {
		if output.Type == "function_call" {
			s.call(i, output)
		} else {
			s.message(i, output)
		}
	}
	s.add(Event{Type: "response." + final.Status, Response: final})
	return s.events
}

// script numbers events.
type script struct {
	next   int
	events []Event
}

func (s *script) add(e Event) {
	e.Sequence = s.next
	s.next++
	s.events = append(s.events, e)
}

func (s *script) call(index int, output Output) {
	at, empty := &index, ""
	started := output
	started.Status, started.Arguments = InProgress, &empty
	s.add(Event{Type: "response.output_item.added", OutputIndex: at, Item: &started})
	for _, delta := range pieces(*output.Arguments) {
		s.add(Event{Type: "response.function_call_arguments.delta", OutputIndex: at, ItemID: output.ID, Delta: &delta})
	}
	s.add(Event{Type: "response.function_call_arguments.done", OutputIndex: at, ItemID: output.ID, Arguments: output.Arguments, Name: output.Name})
	s.add(Event{Type: "response.output_item.done", OutputIndex: at, Item: &output})
}

func (s *script) message(index int, output Output) {
	at := &index
	started := output
	started.Status, started.Content = InProgress, []Part{}
	s.add(Event{Type: "response.output_item.added", OutputIndex: at, Item: &started})
	for i, part := range output.Content {
		s.part(Event{OutputIndex: at, ContentIndex: &i, ItemID: output.ID}, part)
	}
	s.add(Event{Type: "response.output_item.done", OutputIndex: at, Item: &output})
}

// part sends one part of a message; where says which.
func (s *script) part(where Event, part Part) {
	kind, whole, empty := "response.output_text", part.Text, Text("")
	if part.Refusal != nil {
		kind, whole, empty = "response.refusal", part.Refusal, Refusal("")
	}
	add := func(kind string, fill func(*Event)) {
		e := where
		e.Type = kind
		fill(&e)
		s.add(e)
	}
	add("response.content_part.added", func(e *Event) { e.Part = &empty })
	for _, delta := range pieces(*whole) {
		add(kind+".delta", func(e *Event) { e.Delta, e.Logprobs = &delta, part.Logprobs })
	}
	add(kind+".done", func(e *Event) {
		if part.Refusal != nil {
			e.Refusal = whole
		} else {
			e.Text, e.Logprobs = whole, part.Logprobs
		}
	})
	add("response.content_part.done", func(e *Event) { e.Part = &part })
}

// pieces cuts text into deltas of at most 32 characters.
func pieces(text string) []string {
	const size = 32
	var list []string
	for runes := []rune(text); len(runes) > 0; {
		n := min(size, len(runes))
		list = append(list, string(runes[:n]))
		runes = runes[n:]
	}
	return list
}
