package llm

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/internal/automation"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		body string
		want Response
	}{
		"refusal": {
			`{"id":"r","status":"completed","output":[{"type":"message","content":[{"type":"refusal","refusal":"No."}]}]}`,
			Response{ID: "r", Status: "completed", Refusal: "No.", Items: raws(`{"type":"message","content":[{"type":"refusal","refusal":"No."}]}`)},
		},
		"incomplete never gives calls": {
			`{"id":"r","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[{"type":"function_call","call_id":"c","name":"n","arguments":"{}","status":"completed"}]}`,
			Response{ID: "r", Status: "incomplete", Incomplete: "max_output_tokens", Items: raws(`{"type":"function_call","call_id":"c","name":"n","arguments":"{}","status":"completed"}`)},
		},
		"content filter": {
			`{"id":"r","status":"incomplete","incomplete_details":{"reason":"content_filter"}}`,
			Response{ID: "r", Status: "incomplete", Incomplete: "content_filter"},
		},
		"incomplete without reason": {
			`{"id":"r","status":"incomplete","incomplete_details":null}`,
			Response{ID: "r", Status: "incomplete", Incomplete: "unknown"},
		},
		"cut call in a completed answer": {
			`{"id":"r","status":"completed","output":[{"type":"function_call","call_id":"c","name":"n","arguments":"{\"a\"","status":"incomplete"}]}`,
			Response{ID: "r", Status: "completed", Incomplete: "function_call", Items: raws(`{"type":"function_call","call_id":"c","name":"n","arguments":"{\"a\"","status":"incomplete"}`)},
		},
		"last message only, exact bytes of what is unknown": {
			`{"id":"r","status":"completed","model":"m","output":[{"type":"message","phase":"commentary","content":[{"type":"output_text","text":"Let me see."}]}, {"type":"hologram", "n":9007199254740993, "s":"\u00e9" },{"type":"message","content":[{"type":"output_text","text":"a"},{"type":"output_text","text":"b"}]}]}`,
			Response{ID: "r", Status: "completed", Model: "m", Text: "ab", Items: raws(
				`{"type":"message","phase":"commentary","content":[{"type":"output_text","text":"Let me see."}]}`,
				`{"type":"hologram", "n":9007199254740993, "s":"\u00e9" }`,
				`{"type":"message","content":[{"type":"output_text","text":"a"},{"type":"output_text","text":"b"}]}`)},
		},
		"arguments as an object": {
			`{"id":"r","status":"completed","output":[{"type":"function_call","call_id":"c","name":"n","arguments":{"a": 1}}]}`,
			Response{ID: "r", Status: "completed", Calls: []Call{{"c", "n", `{"a": 1}`}}, Items: raws(`{"type":"function_call","call_id":"c","name":"n","arguments":{"a": 1}}`)},
		},
		"empty arguments": {
			`{"id":"r","status":"completed","output":[{"type":"function_call","call_id":"c","name":"n","arguments":""}]}`,
			Response{ID: "r", Status: "completed", Calls: []Call{{"c", "n", ``}}, Items: raws(`{"type":"function_call","call_id":"c","name":"n","arguments":""}`)},
		},
		"usage of zeros is unknown": {
			`{"id":"r","status":"completed","usage":{"input_tokens":0,"output_tokens":0,"total_tokens":0}}`,
			Response{ID: "r", Status: "completed"},
		},
		"usage of another shape is unknown": {
			`{"id":"r","status":"completed","usage":{"input_tokens":1.5}}`,
			Response{ID: "r", Status: "completed"},
		},
		"echoed tools are not looked at": {
			`{"id":"r","status":"completed","tools":` + strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000) + `}`,
			Response{ID: "r", Status: "completed"},
		},
		"usage without a total": {
			`{"id":"r","status":"completed","usage":{"input_tokens":3,"output_tokens":4}}`,
			Response{ID: "r", Status: "completed", Usage: automation.Usage{InputTokens: 3, OutputTokens: 4, TotalTokens: 7, Known: true}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decode([]byte(row.body), guard{})
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(&row.want, got))
		})
	}
}

func raws(items ...string) []json.RawMessage {
	var out []json.RawMessage
	for _, i := range items {
		out = append(out, json.RawMessage(i))
	}
	return out
}

// FuzzDecode holds the decoder to: no panic, either a result or an *Error, no calls from a cut answer,
// every call answerable, every item valid JSON.
func FuzzDecode(f *testing.F) {
	for _, exchanges := range recordings(f) {
		for _, e := range exchanges {
			f.Add([]byte(e.Response.Body))
		}
	}
	f.Add([]byte(`{"id":"r","status":"completed","output":[{"type":"function_call","call_id":"c","name":"n","arguments":{"a":1}}]}`))
	f.Add([]byte(`{"id":1,"status":{},"output":{"0":[]},"usage":[]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		res, err := decode(body, guard{})
		if err != nil {
			_, ok := errors.AsType[*Error](err)
			require.True(t, ok, "%T", err)
			require.Nil(t, res)
			return
		}
		require.NotEmpty(t, res.ID)
		require.True(t, res.Status == "completed" || res.Status == "incomplete" && res.Incomplete != "")
		if res.Incomplete != "" {
			require.Empty(t, res.Calls)
		}
		for _, c := range res.Calls {
			require.NotEmpty(t, c.CallID)
			require.NotEmpty(t, c.Name)
		}
		for _, i := range res.Items {
			require.True(t, json.Valid(i), "%q", i)
		}
	})
}
