package llm

import (
	"encoding/json"
	"errors"

	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
)

// Output makes the model answer with JSON of a schema. The text of the response is then that JSON, except
// after a refusal or when the answer is cut; what the schema says must still be checked.
type Output struct {
	Name   string          // [A-Za-z0-9_-], at most 64; shown to the model
	Schema json.RawMessage // JSON schema object
	Strict bool            // the provider guarantees the schema, of which it then allows a subset only
}

func (o *Output) text() (responses.ResponseTextConfigParam, error) {
	if o.Name == "" || len(o.Name) > maxName || plain(o.Name) != o.Name {
		return responses.ResponseTextConfigParam{}, errors.New("the name of the output is not of the allowed form")
	}
	schema, err := object(o.Schema)
	if err != nil {
		return responses.ResponseTextConfigParam{}, errors.New("the schema of the output is not a JSON object")
	}
	return responses.ResponseTextConfigParam{Format: responses.ResponseFormatTextConfigUnionParam{
		OfJSONSchema: &responses.ResponseFormatTextJSONSchemaConfigParam{
			Name: o.Name, Schema: schema, Strict: param.NewOpt(o.Strict),
		},
	}}, nil
}
