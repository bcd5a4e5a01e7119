package slack

import (
	"encoding/json"
	"strings"
)

// message is one as Slack gives it. Apps put what they say into attachments or blocks and often leave the text empty
// (https://docs.slack.dev/messaging/formatting-message-text#attachments).
type message struct {
	TS       string `json:"ts"`
	User     string `json:"user"`
	Username string `json:"username"`
	Bot      struct {
		Name string `json:"name"`
	} `json:"bot_profile"`
	Text        string          `json:"text"`
	Attachments []attachment    `json:"attachments"`
	Blocks      json.RawMessage `json:"blocks"`
	Files       []struct {
		Name  string `json:"name"`
		Title string `json:"title"`
	} `json:"files"`
	Replies  int `json:"reply_count"`
	Metadata struct {
		Type    string         `json:"event_type"`
		Payload map[string]any `json:"event_payload"`
	} `json:"metadata"`
}

type attachment struct {
	Pretext  string `json:"pretext"`
	Title    string `json:"title"`
	Text     string `json:"text"`
	Fallback string `json:"fallback"` // says the same, for whoever shows nothing else
}

// said is all that a reader sees of a message.
func (m *message) said() string {
	parts := []string{m.Text}
	if m.Text == "" {
		var blocks any
		_ = json.Unmarshal(m.Blocks, &blocks) // absent, or of another kind: there is nothing to show
		parts = texts(nil, blocks)
	}
	for _, a := range m.Attachments {
		if a.Pretext+a.Title+a.Text == "" {
			a.Text = a.Fallback
		}
		parts = append(parts, a.Pretext, a.Title, a.Text)
	}
	shown := parts[:0]
	for _, part := range parts {
		if strings.TrimSpace(part) != "" {
			shown = append(shown, part)
		}
	}
	return strings.Join(shown, "\n")
}

// texts collects what blocks say, in their order: the string called text of every element in them.
func texts(found []string, blocks any) []string {
	switch v := blocks.(type) {
	case []any:
		for _, element := range v {
			found = texts(found, element)
		}
	case map[string]any:
		if text, ok := v["text"].(string); ok {
			return append(found, text)
		}
		for _, name := range []string{"text", "fields", "elements"} {
			found = texts(found, v[name])
		}
	}
	return found
}

// app is the name of the app that wrote a message, empty for a person.
func (m *message) app() string {
	switch {
	case m.Bot.Name != "":
		return m.Bot.Name
	case m.User == "":
		return m.Username
	}
	return ""
}

func (m *message) files() (names []string) {
	for _, f := range m.Files {
		if f.Name == "" {
			f.Name = f.Title
		}
		names = append(names, f.Name)
	}
	return names
}
