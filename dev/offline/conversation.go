package offline

import (
	"regexp"
	"strings"
	"time"

	"steward/dev/offline/dialog"
	"steward/dev/offline/wire"
)

// context is everything that the model sees: what the previous response saw and said, then the
// input of this request.
func (s *Server) context(request *wire.Request) ([]wire.Item, error) {
	context := []wire.Item(request.Input)
	if id := request.PreviousResponseID; id != "" {
		previous, ok := s.memory.get(id)
		if !ok || previous.isCancelled() {
			return nil, wire.BadRequest("previous_response_id", "previous_response_not_found", "Previous response with id '%s' not found.", id)
		}
		context = append(previous.context[:len(previous.context):len(previous.context)], context...)
	}
	return context, wire.CheckCalls(context)
}

// conversation reads the task out of a context. A message of the user begins a new task unless it
// stands right behind tool output: there it is a note of the client, such as a budget warning, in
// the middle of a task.
func (s *Server) conversation(request *wire.Request, context []wire.Item) dialog.Dialog {
	system := request.Instructions
	var instruction []string
	var calls []dialog.Call
	position := map[string]int{}
	last := ""
	for _, item := range context {
		switch {
		case item.Type == "message" && item.Role == "user":
			if last == "function_call_output" {
				continue
			}
			if last != "user" {
				instruction, calls, position = nil, nil, map[string]int{}
			}
			instruction = append(instruction, string(item.Content))
			last = "user"
		case item.Type == "message" && item.Role == "assistant":
			last = "assistant"
		case item.Type == "message": // system, developer
			system += "\n" + string(item.Content)
		case item.Type == "function_call":
			position[item.CallID] = len(calls)
			calls = append(calls, dialog.Call{ID: item.CallID, Name: item.Name, Arguments: string(item.Arguments)})
			last = item.Type
		case item.Type == "function_call_output":
			if i, ok := position[item.CallID]; ok {
				calls[i].Output = string(item.Output)
			}
			last = item.Type
		}
	}
	d := dialog.Dialog{
		Instruction: strings.Join(instruction, "\n"),
		Today:       s.today(system),
		Calls:       calls,
		Parallel:    request.Parallel(),
		NoCalls:     string(request.ToolChoice) == `"none"`,
	}
	for _, tool := range request.Tools {
		d.Tools = append(d.Tools, dialog.Tool{Name: tool.Name, Description: tool.Description, Parameters: tool.Parameters})
	}
	return d
}

var todayLine = regexp.MustCompile(`(?i)\btoday is (?:\w+, )?(\d{4}-\d\d-\d\d)\b`)

// today is the last date that the system text names with the words "Today is 2026-11-21", else the
// date of the clock. A client that names it gets the same answers whenever the request is repeated.
func (s *Server) today(system string) time.Time {
	all := todayLine.FindAllStringSubmatch(system, -1)
	for i := len(all) - 1; i >= 0; i-- {
		if day, err := time.Parse(time.DateOnly, all[i][1]); err == nil {
			return day
		}
	}
	return s.clock().UTC().Truncate(24 * time.Hour)
}
