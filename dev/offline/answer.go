package offline

import (
	"encoding/json"
	"fmt"
	"time"

	"steward/dev/offline/dialog"
	"steward/dev/offline/planner"
	"steward/dev/offline/simulation"
	"steward/dev/offline/structured"
	"steward/dev/offline/wire"
)

// reply asks the layers in turn.
func (s *Server) reply(d dialog.Dialog, plan simulation.Plan) dialog.Reply {
	if reply, ok := plan.Play(d); ok {
		return reply
	}
	for _, scenario := range s.scenarios {
		if reply, ok := scenario.Play(d); ok {
			return reply
		}
	}
	return planner.Play(d)
}

// shape makes data of a final text when the request wants data. Prose stays where the schema asks for
// what the rules cannot build; the client will not take it, which is the honest end.
func shape(reply dialog.Reply, f wire.Format) dialog.Reply {
	if f.Type != "json_schema" || !reply.Final() {
		return reply
	}
	if data, ok := structured.Answer(f.Schema, reply.Text, reply.Facts); ok {
		reply.Text = data
	}
	return reply
}

// response puts a reply into the shape of the API.
func response(request *wire.Request, context []wire.Item, reply dialog.Reply, now time.Time) *wire.Response {
	r := &wire.Response{
		ID:                "resp_" + request.Digest(),
		Object:            "response",
		CreatedAt:         now.Unix(),
		Status:            wire.Completed,
		Background:        request.Background,
		MaxOutputTokens:   request.MaxOutputTokens,
		Metadata:          request.Metadata,
		Model:             Model,
		Output:            output(request.Digest(), reply),
		ParallelToolCalls: request.Parallel(),
		ServiceTier:       "default",
		Store:             request.Stored(),
		Temperature:       1,
		Text:              text(request.Text.Format),
		ToolChoice:        request.ToolChoice,
		Tools:             []struct{}{},
		TopP:              1,
		Truncation:        "disabled",
	}
	if r.Metadata == nil {
		r.Metadata = map[string]string{}
	}
	if r.ToolChoice == nil {
		r.ToolChoice = []byte(`"auto"`)
	}
	if request.PreviousResponseID != "" {
		r.PreviousResponseID = &request.PreviousResponseID
	}
	finish(r, reply, request.MaxOutputTokens)
	r.Usage = wire.NewUsage(request.InputTokens(context), wire.OutputTokens(r.Output))
	return r
}

// text is the setting for texts as the response repeats it.
func text(f wire.Format) json.RawMessage {
	if f.Type != "json_schema" {
		return []byte(`{"format":{"type":"text"}}`)
	}
	echo, err := json.Marshal(map[string]any{"format": f})
	if err != nil {
		panic(err) // the schema was read out of JSON
	}
	return echo
}

// finish settles the status. What exceeds the limit of output tokens is cut off, as the real
// service does, and then nothing of it may be acted on.
func finish(r *wire.Response, reply dialog.Reply, limit *int) {
	switch {
	case reply.Failed:
		r.Status, r.Output = wire.Failed, []wire.Output{}
		r.Error = &wire.Problem{Code: "server_error", Message: "The model failed (simulated)."}
		return
	case limit != nil && wire.OutputTokens(r.Output) > *limit:
		r.Output = cut(r.Output, *limit)
		reply.Incomplete = "max_output_tokens"
	}
	if reply.Incomplete != "" {
		r.Status = wire.Incomplete
		r.IncompleteDetails = &wire.Reason{Reason: reply.Incomplete}
		for i := range r.Output {
			r.Output[i].Status = wire.Incomplete
		}
		return
	}
	done := r.CreatedAt
	r.CompletedAt = &done
}

// cut shortens a text to the limit; of calls only those stay that fit.
func cut(output []wire.Output, limit int) []wire.Output {
	if len(output) == 1 && output[0].Type == "message" && output[0].Content[0].Text != nil {
		text := []rune(*output[0].Content[0].Text)
		output[0].Content[0] = wire.Text(string(text[:min(len(text), 4*max(0, limit))]))
		return output
	}
	for len(output) > 0 && wire.OutputTokens(output) > limit {
		output = output[:len(output)-1]
	}
	return output
}

// output makes the items of a reply, with ids out of the digest of the request.
func output(digest string, reply dialog.Reply) []wire.Output {
	if len(reply.Calls) == 0 {
		part := wire.Text(reply.Text)
		if reply.Refusal != "" {
			part = wire.Refusal(reply.Refusal)
		}
		return []wire.Output{{
			Type: "message", ID: "msg_" + digest, Status: wire.Completed,
			Role: "assistant", Content: []wire.Part{part},
		}}
	}
	var items []wire.Output
	for i, call := range reply.Calls {
		items = append(items, wire.Output{
			Type: "function_call", ID: fmt.Sprintf("fc_%s_%d", digest, i), Status: wire.Completed,
			CallID: fmt.Sprintf("call_%s_%d", digest[:24], i), Name: call.Name, Arguments: &call.Arguments,
		})
	}
	return items
}
