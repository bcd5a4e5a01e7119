package mcpclient

import "encoding/json"

// Question is what a server asks the user before it goes on (elicitation).
type Question struct {
	Mode    string          // "form" or "url"
	Message string          // the server's words: foreign text
	Schema  json.RawMessage // of the form; nil for a URL
	URL     string          // to be opened by the user, never by us
}

// Answer is what the user says to a Question.
type Answer struct {
	Action  string          // accept, decline or cancel
	Content json.RawMessage // of the form, for accept
}

// Needs is a call that ended with questions (2026-07-28, "input_required"): it is made again with Given.
type Needs struct {
	Questions map[string]Question
	State     string // the server's own, handed back as it is
}

// Given answers Needs.
type Given struct {
	Answers map[string]Answer
	State   string
}
