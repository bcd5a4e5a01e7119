package api

import (
	"context"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// document serves the OpenAPI document itself. It is rendered once: nothing in it changes while we run.
type document struct{}

type documentOutput struct {
	ContentType  string `header:"Content-Type" doc:"The format."`
	CacheControl string `header:"Cache-Control" doc:"Ask again each time." example:"no-cache"`
	Body         []byte
}

func (document) register(api huma.API) {
	asJSON := sync.OnceValues(func() ([]byte, error) { return render(api) })
	asYAML := sync.OnceValues(api.OpenAPI().YAML)
	serve := func(id, path, contentType string, schema *huma.Schema, render func() ([]byte, error)) {
		handle(api, endpoint{
			Operation: huma.Operation{
				OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{"docs"},
				Summary: "This API as OpenAPI 3.1", Description: "The machine-readable reference; `/docs` shows it to people.",
				Responses: map[string]*huma.Response{"200": {Content: map[string]*huma.MediaType{contentType: {Schema: schema}}}},
			},
			access: access{open: true},
		}, func(context.Context, *struct{}) (*documentOutput, error) {
			doc, err := render()
			return &documentOutput{ContentType: contentType, CacheControl: "no-cache", Body: doc}, err
		})
	}
	serve("getOpenAPI", "/openapi.json", "application/json", &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}, asJSON)
	serve("getOpenAPIYAML", "/openapi.yaml", "application/yaml", &huma.Schema{Type: huma.TypeString}, asYAML)
}
