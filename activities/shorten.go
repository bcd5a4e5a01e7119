package activities

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"steward/internal/llm"
)

// shorten makes a conversation fit into so many bytes without asking anybody, and always in the same way: results
// of tools become one line each, the oldest first. Only if that is not enough are the newest cut, to equal parts.
func shorten(items []json.RawMessage, most int) []json.RawMessage {
	out := append([]json.RawMessage{}, items...)
	names, results, newest := map[string]string{}, []result{}, 0
	for i, raw := range out {
		var it struct {
			Type, Name, Output string
			CallID             string `json:"call_id"`
		}
		if json.Unmarshal(raw, &it) != nil {
			continue
		}
		switch it.Type {
		case "function_call":
			names[it.CallID] = it.Name
			newest = len(results) // results from here on answer the last turn
		case "function_call_output":
			results = append(results, result{at: i, call: it.CallID, name: names[it.CallID], text: it.Output})
		}
	}
	size := sizeOf(out)
	replace := func(r result, text string) {
		short := llm.FunctionOutput(r.call, text)
		if len(short) < len(out[r.at]) {
			size += len(short) - len(out[r.at])
			out[r.at] = short
		}
	}
	for _, r := range results[:newest] {
		if size <= most {
			return out
		}
		replace(r, fmt.Sprintf("[result of %s removed to fit; %d bytes]", r.name, len(r.text)))
	}
	last := results[newest:]
	for i := 0; i < len(last) && size > most; i++ {
		room := (most - (size - sizeOfResults(out, last[i:]))) / (len(last) - i)
		replace(last[i], cutTo(last[i].text, room))
	}
	return out
}

// result is the answer to one call, at its place in the conversation.
type result struct {
	at               int
	call, name, text string
}

func sizeOfResults(items []json.RawMessage, results []result) (n int) {
	for _, r := range results {
		n += len(items[r.at])
	}
	return n
}

// cutTo keeps the beginning of a text, as much as fits into so many bytes of JSON.
func cutTo(text string, room int) string {
	const least = 1000
	room = max(room, least) / 2 // quotes and line breaks take two bytes
	if len(text) <= room {
		return text
	}
	keep := room
	for keep > 0 && !utf8.RuneStart(text[keep]) {
		keep--
	}
	return strings.Join([]string{text[:keep], fmt.Sprintf("[cut to fit; %d of %d bytes shown]", keep, len(text))}, "\n")
}
