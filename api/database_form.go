package api

import (
	"encoding/json"
	"maps"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/connector"
	"steward/internal/fault"
)

// filledForm is the body of a call that fills in a form: members that every form has, and what the form of the type
// asks for, which the document cannot know.
type filledForm struct {
	UserID string
	Type   string
	Name   string         // "" if it is not given
	NameAt string         // the member that gives it
	Values map[string]any // a username among them is the database's
}

// members are those that every form has.
func (b *filledForm) members() map[string]*string {
	return map[string]*string{"user_id": &b.UserID, "db_type": &b.Type, "name": &b.Name}
}

// Schema tells what can be known without the type.
func (filledForm) Schema(huma.Registry) *huma.Schema {
	text := func(longest int, example, description string) *huma.Schema {
		s := &huma.Schema{Type: huma.TypeString, MaxLength: &longest, Description: description, Examples: []any{example}}
		s.PrecomputeMessages()
		return s
	}
	s := &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true, Required: []string{"db_type"},
		Description: "Beside these, the fields that GET /api/databases/schema lists for the type. What is no field of its form is refused.",
		Properties: map[string]*huma.Schema{
			"db_type":                text(64, "postgres", "The type, as GET /api/databases/types names it."),
			"user_id":                text(255, "user_123", "For callers with an API key: for whom."),
			"name":                   text(255, "My Analytics DB", "The user's name for it, unique among theirs: at most 64 characters. Testing needs none."),
			connector.NameField.Name: text(255, "My Analytics DB", "The same as name: forms call it so."),
		},
	}
	s.PrecomputeMessages()
	return s
}

// UnmarshalJSON tells the members apart.
func (b *filledForm) UnmarshalJSON(doc []byte) error {
	var all map[string]any
	if err := json.Unmarshal(doc, &all); err != nil {
		return err
	}
	*b = filledForm{NameAt: connector.NameField.Name}
	if again, _ := all[b.NameAt].(string); again == "" && all["name"] != nil {
		b.NameAt = "name"
	}
	for name, member := range b.members() {
		*member, _ = all[name].(string) // the schema has judged its type
		delete(all, name)
	}
	b.Values = all
	return nil
}

// named takes the name out of the values, where forms have it.
func (b *filledForm) named() error {
	again, _ := b.Values[connector.NameField.Name].(string)
	delete(b.Values, connector.NameField.Name)
	if b.Name != "" && again != "" && b.Name != again {
		return fault.InvalidField("body."+connector.NameField.Name, "is another name than name")
	}
	if b.Name == "" {
		b.Name = again
	}
	return nil
}

// exampleForm is seed 002's, with or without what only connecting needs.
func exampleForm(more map[string]any) map[string]any {
	form := map[string]any{
		"db_type": "postgres", "host": "analytics.db.example.com", "port": 5432, "database": "campaigns", "username": "db_user", "password": "secret123",
	}
	maps.Copy(form, more)
	return form
}

const exampleDatabase = "db_abc123"
