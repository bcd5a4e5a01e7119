package api

import (
	"fmt"

	"steward/internal/fault"
	"steward/internal/registry/input"
)

// InputField is a variable or header that a server asks for, in the terms of the official registry. type, required and
// secret are the same in those of seed 004.
type InputField struct {
	Name string `json:"name" maxLength:"128" doc:"The variable or header." example:"API_KEY"`
	InputValue
}

// InputValue is what is known of a value before it is given.
type InputValue struct {
	Description string                   `json:"description,omitempty" maxLength:"4096" doc:"What it is for." example:"API key of the service"`
	IsRequired  bool                     `json:"isRequired,omitempty" doc:"Whether the server does not work without it." example:"true"`
	IsSecret    bool                     `json:"isSecret,omitempty" doc:"Each user stores an own value with POST /secrets/set; it is never shown." example:"true"`
	Default     string                   `json:"default,omitempty" nullable:"true" maxLength:"4096" doc:"What it is unless somebody says otherwise. Not for secrets." example:"10"`
	Placeholder string                   `json:"placeholder,omitempty" maxLength:"4096" doc:"For a form." example:"ghp_…"`
	Choices     []string                 `json:"choices,omitempty" maxItems:"100" doc:"The values that are allowed." example:"[\"eu\",\"us\"]"`
	Format      string                   `json:"format,omitempty" enum:"string,number,boolean,filepath" doc:"What the text must be." example:"string"`
	Value       string                   `json:"value,omitempty" maxLength:"4096" doc:"Fixed: nobody is asked, but for the variables whose names stand in it in braces." example:"Bearer {token}"`
	Variables   map[string]InputVariable `json:"variables,omitempty" maxProperties:"16" doc:"The variables in value."`

	Type     string `json:"type,omitempty" enum:"string,integer,number,boolean" doc:"The same as format, in seed 004's word." example:"string"`
	Required bool   `json:"required,omitempty" doc:"The same as isRequired." example:"true"`
	Secret   bool   `json:"secret,omitempty" doc:"The same as isSecret." example:"true"`
}

// InputVariable is a variable in a fixed value.
type InputVariable struct {
	Description string   `json:"description,omitempty" maxLength:"4096" doc:"What it is for." example:"Your token"`
	IsRequired  bool     `json:"isRequired,omitempty" doc:"Whether the value makes no sense without it." example:"true"`
	IsSecret    bool     `json:"isSecret,omitempty" doc:"Each user stores an own value." example:"true"`
	Default     string   `json:"default,omitempty" nullable:"true" maxLength:"4096" doc:"What it is unless somebody says otherwise." example:"eu"`
	Placeholder string   `json:"placeholder,omitempty" maxLength:"4096" doc:"For a form." example:"eu"`
	Choices     []string `json:"choices,omitempty" maxItems:"100" doc:"The values that are allowed." example:"[\"eu\",\"us\"]"`
	Format      string   `json:"format,omitempty" enum:"string,number,boolean,filepath" doc:"What the text must be." example:"string"`
}

// formatOf is what seed 004's types are called in the official registry.
var formatOf = map[string]input.Format{"": "", "string": input.Text, "integer": input.Number, "number": input.Number, "boolean": input.Boolean}

// fields reads a schema in either spelling.
func fields(location string, given []InputField) ([]input.Field, error) {
	if given == nil {
		return nil, nil
	}
	out := make([]input.Field, len(given))
	for i, g := range given {
		format := input.Format(g.Format)
		if known := formatOf[g.Type]; format == "" {
			format = known
		} else if g.Type != "" && g.Type != "string" && known != format {
			return nil, fault.InvalidField(fmt.Sprintf("%s[%d].type", location, i), "says something else than format")
		}
		out[i] = input.Field{Name: g.Name, Input: input.Input{
			Description: g.Description, Required: g.IsRequired || g.Required, Secret: g.IsSecret || g.Secret, Default: g.Default,
			Placeholder: g.Placeholder, Choices: g.Choices, Format: format, Value: g.Value,
		}}
		for name, v := range g.Variables {
			if out[i].Variables == nil {
				out[i].Variables = map[string]input.Input{}
			}
			out[i].Variables[name] = input.Input{
				Description: v.Description, Required: v.IsRequired, Secret: v.IsSecret, Default: v.Default, Placeholder: v.Placeholder,
				Choices: v.Choices, Format: input.Format(v.Format),
			}
		}
	}
	return out, nil
}

// inputFields shows a schema in both.
func inputFields(all []input.Field) []InputField {
	out := make([]InputField, len(all))
	for i, f := range all {
		kind := string(f.Format)
		if f.Format == "" || f.Format == input.Filepath {
			kind = string(input.Text)
		}
		out[i] = InputField{Name: f.Name, InputValue: InputValue{
			Description: f.Description, IsRequired: f.Required, IsSecret: f.Secret, Default: f.Default, Placeholder: f.Placeholder, Choices: f.Choices,
			Format: string(f.Format), Value: f.Value, Type: kind, Required: f.Required, Secret: f.Secret,
		}}
		for name, v := range f.Variables {
			if out[i].Variables == nil {
				out[i].Variables = map[string]InputVariable{}
			}
			out[i].Variables[name] = InputVariable{v.Description, v.Required, v.Secret, v.Default, v.Placeholder, v.Choices, string(v.Format)}
		}
	}
	return out
}
