package mcpclient

import (
	"encoding/json"
	"fmt"
)

// KeptSession is what a SessionStore keeps for a session of which somebody knows the id alone. What the server said
// when it was opened is not known, so nothing is assumed but the tools; whether the session lives is asked before it
// is used.
func KeptSession(id string) ([]byte, error) {
	kept, err := json.Marshal(savedSession{ID: id, Initialize: json.RawMessage(
		`{"protocolVersion":"` + legacyVersion + `","capabilities":{"tools":{}},"serverInfo":{"name":"","version":""}}`)})
	if err != nil {
		return nil, fmt.Errorf("encode session: %w", err)
	}
	return kept, nil
}
