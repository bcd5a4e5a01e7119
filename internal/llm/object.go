package llm

import (
	"encoding/json"
	"errors"
)

// object is a JSON object in the form the SDK sends exactly: RawMessage values leave as they are, where a
// json.Number would become a JSON string.
func object(raw json.RawMessage) (map[string]any, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return nil, errors.New("not a JSON object")
	}
	out := make(map[string]any, len(fields))
	for k, v := range fields {
		out[k] = v
	}
	return out, nil
}
