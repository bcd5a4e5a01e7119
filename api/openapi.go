package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
)

// OpenAPI returns the API's OpenAPI 3.1 document, indented, as `steward openapi` prints it and GET
// /openapi.json serves it. It does not depend on any setting.
func OpenAPI() ([]byte, error) {
	api := newHuma(chi.NewMux())
	(&resources{}).register(api)
	return render(api)
}

func render(api huma.API) ([]byte, error) {
	doc, err := json.Marshal(api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("encode OpenAPI document: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, doc, "", "  "); err != nil {
		return nil, fmt.Errorf("indent OpenAPI document: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// hookHuma sets the few things that Huma keeps in package variables: the error hook, without which it
// prints any error's text and echoes rejected values; exact names of body fields; arrays that are never
// null.
var hookHuma = sync.OnceFunc(func() {
	huma.NewErrorWithContext = humaProblem
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError { return rejected(status, msg, errs) }
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
})

func newHuma(router chi.Router) huma.API {
	hookHuma()
	return humachi.New(router, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:   "Steward",
				Version: "1.0.0",
				Contact: &huma.Contact{Name: "The operator of this Steward"},
				Description: "Durable automations: a language model does real work with a person's tools over MCP, and every effect is written down " +
					"before it happens.\n\n" +
					"Send `Authorization: Bearer <token>` as a user, or `X-API-Key` as a trusted backend that names the user in `user_id` or `username`. " +
					"What does not exist and what belongs to somebody else get the same 404. Every error is `application/problem+json` with a stable " +
					"`code`; its `type` is `urn:steward:problem:<code>`. Query parameters and body fields that are not described here are refused with 422. " +
					"HEAD answers like GET, without the body.\n\n" +
					"MCP clients find the same at `/mcp`: streamable HTTP in every revision, and the older HTTP+SSE at `/mcp/`. It takes the same tokens and keys, but " +
					"looks for a key's user in the query alone: `/mcp?user_id=alice`.\n\n" +
					"Limits, unless the operator sets others: a user may make 60 creating calls, 600 calls of tools, 600 other calls and 1,200 " +
					"requests to `/mcp` a minute, and have 20 event streams open; an API key may make 6,000 calls a minute; a browser's ways in are counted by " +
					"address, 5 a minute each. `X-RateLimit-*` headers count down; beyond, calls get 429 and `Retry-After`. Bodies end at 1 MiB. How many runs " +
					"a user has open is not limited: one that waits, for a person or its turn, costs a row.",
			},
			Servers: []*huma.Server{{URL: "/", Description: "The server that serves this document."}},
			Tags: []*huma.Tag{
				{Name: "health", Description: "Is the service alive, is it ready."},
				{Name: "docs", Description: "This reference."},
				{Name: "identity", Description: "Who is asking, and with which keys that is checked."},
				{Name: "integrations", Description: "What users connect by consent: accounts that runs may work with."},
				{Name: "servers", Description: "MCP servers: registered, reached, switched on and off, and what is known of their tools."},
				{Name: "databases", Description: "Databases that users connect by filling in a form."},
				{Name: "tools", Description: "What a user can call: of integrations, databases and MCP servers, and calls of it outside runs."},
				{Name: "secrets", Description: "What users store for MCP servers. Nobody reads a value back."},
				{Name: "packages", Description: "MCP servers that are installed from npm and Python indexes."},
				{Name: "registry", Description: "Our servers for clients of the official MCP registry."},
				{Name: "runs", Description: "One run is one execution of a request: plan, act, wait for a person where one is needed, finish."},
				{Name: "codec", Description: "Readable payloads for the Temporal Web UI."},
			},
			Components: &huma.Components{
				Responses: map[string]*huma.Response{},
				Schemas:   huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer":      {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "An access token of a user."},
					"apiKey":      {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "The key of a trusted backend; it names the user in `user_id` or `username`."},
					"codecCookie": {Type: "apiKey", In: "cookie", Name: codecCookie, Description: "The codec's session, set by `GET /codec/open`."},
				},
			},
			OnAddOperation: []huma.AddOpFunc{shareErrors},
		},
		Formats:                      formats(),
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	})
}
