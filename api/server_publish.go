package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/registry"
	"steward/internal/store"
)

// Published is a server as the official registry answers.
type Published struct {
	Server object        `json:"server" doc:"Its server.json, of the schema of 2025-12-11. It holds no values, but what was fixed in it for everybody."`
	Meta   publishedMeta `json:"_meta" doc:"What the registry says of it."`
}

type publishedMeta struct {
	Official publishedOfficial `json:"io.modelcontextprotocol.registry/official" doc:"Under the name that clients of the official registry look for."`
}

type publishedOfficial struct {
	Status          string    `json:"status" enum:"active,deprecated" doc:"deprecated: it is disabled." example:"active"`
	StatusChangedAt time.Time `json:"statusChangedAt" doc:"When that changed last."`
	PublishedAt     time.Time `json:"publishedAt" doc:"When it was registered."`
	UpdatedAt       time.Time `json:"updatedAt" doc:"When it was changed last."`
	IsLatest        bool      `json:"isLatest" doc:"Always true: one version is kept." example:"true"`
}

type publishedBody struct {
	Servers  []Published       `json:"servers" doc:"By name."`
	Metadata publishedMetadata `json:"metadata" doc:"Of the page."`
}

type publishedMetadata struct {
	Count      int    `json:"count" doc:"How many are on the page." example:"1"`
	NextCursor string `json:"nextCursor,omitempty" doc:"Where the next page begins." example:"com.example/weather:1.0.2"`
}

type publishedInput struct {
	Caller

	Search       string `query:"search" maxLength:"200" doc:"Only servers whose name holds this." example:"weather"`
	UpdatedSince string `query:"updated_since" format:"date-time" doc:"Only servers changed at or after this time." example:"2026-11-01T00:00:00Z"`
	Version      string `query:"version" maxLength:"128" doc:"latest, or an exact version." example:"latest"`
	Limit        int32  `query:"limit" minimum:"1" maximum:"100" default:"30" doc:"How many servers at most." example:"30"`
	Cursor       string `query:"cursor" maxLength:"512" doc:"metadata.nextCursor of the page before." example:"com.example/weather:1.0.2"`
}

type publishedOutput struct{ Body publishedBody }

func examplePublished() Published {
	return Published{Server: object(exampleManifest), Meta: publishedMeta{publishedOfficial{"active", exampleTime, exampleTime, exampleTime, true}}}
}

func (h *servers) registerPublished(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "listPublished", Method: http.MethodGet, Path: "/v0.1/servers", Tags: []string{"registry"},
			Summary: "List our servers as the official registry does",
			Description: "Those that an admin has registered for everybody, for clients of the official MCP registry's read API. The address of one that was " +
				"not imported from a server.json is shown to admins alone.",
		},
		access:  access{scope: auth.ServersRead},
		answers: publishedBody{Servers: []Published{examplePublished()}, Metadata: publishedMetadata{Count: 1}},
	}, h.published)
}

func (h *servers) published(ctx context.Context, in *publishedInput) (*publishedOutput, error) {
	all, err := h.publications(ctx)
	if err != nil {
		return nil, err
	}
	since, err := instant("query.updated_since", in.UpdatedSince)
	if err != nil {
		return nil, err
	}
	out := &publishedOutput{Body: publishedBody{Servers: []Published{}}}
	var last publication
	for _, pub := range all {
		switch {
		case in.Search != "" && !strings.Contains(strings.ToLower(pub.Name), strings.ToLower(in.Search)),
			since != nil && pub.row.UpdatedAt.Before(*since),
			in.Version != "" && in.Version != "latest" && in.Version != pub.Version,
			in.Cursor != "" && pub.cursor() <= in.Cursor:
			continue
		case len(out.Body.Servers) == int(in.Limit):
			out.Body.Metadata.NextCursor = last.cursor()
			return out, nil
		}
		last = pub
		out.Body.Servers = append(out.Body.Servers, pub.shown())
		out.Body.Metadata.Count++
	}
	return out, nil
}

type versionsInput struct {
	Caller

	Name string `path:"name" minLength:"1" maxLength:"255" doc:"The server's name in reverse DNS, with its slash encoded." example:"com.example%2Fweather"`
}

type versionInput struct {
	Caller

	Name    string `path:"name" minLength:"1" maxLength:"255" doc:"The server's name in reverse DNS, with its slash encoded." example:"com.example%2Fweather"`
	Version string `path:"version" minLength:"1" maxLength:"128" doc:"latest, or an exact version." example:"latest"`
}

type publishedOneOutput struct{ Body Published }

func (h *servers) registerVersions(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "listPublishedVersions", Method: http.MethodGet, Path: "/v0.1/servers/{name}/versions", Tags: []string{"registry"},
			Summary:     "List the versions of one of our servers",
			Description: "One is kept: that which is called.",
			Errors:      []int{http.StatusNotFound},
		},
		access:  access{scope: auth.ServersRead},
		answers: publishedBody{Servers: []Published{examplePublished()}, Metadata: publishedMetadata{Count: 1}},
	}, func(ctx context.Context, in *versionsInput) (*publishedOutput, error) {
		pub, err := h.publication(ctx, in.Name, "latest")
		return &publishedOutput{Body: publishedBody{Servers: []Published{pub}, Metadata: publishedMetadata{Count: 1}}}, err
	})
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getPublishedVersion", Method: http.MethodGet, Path: "/v0.1/servers/{name}/versions/{version}", Tags: []string{"registry"},
			Summary:     "Read a version of one of our servers",
			Description: "As the official registry answers.",
			Errors:      []int{http.StatusNotFound},
		},
		access: access{scope: auth.ServersRead}, answers: examplePublished(),
	}, func(ctx context.Context, in *versionInput) (*publishedOneOutput, error) {
		pub, err := h.publication(ctx, in.Name, in.Version)
		return &publishedOneOutput{Body: pub}, err
	})
}

// publication is a server under its name in reverse DNS.
func (h *servers) publication(ctx context.Context, name, version string) (Published, error) {
	all, err := h.publications(ctx)
	if err != nil {
		return Published{}, err
	}
	for _, pub := range all {
		if pub.Name == name && (version == "latest" || version == pub.Version) {
			return pub.shown(), nil
		}
	}
	return Published{}, fault.New(fault.NotFound, "Server not found")
}

// publication is a server with its server.json.
type publication struct {
	registry.Publication

	row *store.MCPServer
}

func (h *servers) publications(ctx context.Context) ([]publication, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	visible, err := h.registry.Visible(ctx, p.Owner)
	if err != nil {
		return nil, err
	}
	var all []publication
	for _, row := range visible {
		if row.Owner != nil {
			continue
		}
		pub, err := h.registry.Publish(ctx, p, row, h.public)
		if err != nil {
			return nil, err
		}
		all = append(all, publication{pub, row})
	}
	slices.SortFunc(all, func(a, b publication) int { return strings.Compare(a.cursor(), b.cursor()) })
	return all, nil
}

func (p publication) cursor() string { return p.Name + ":" + p.Version }

func (p publication) shown() Published {
	status := "active"
	if !p.row.Enabled {
		status = "deprecated"
	}
	return Published{
		Server: object(p.Document),
		Meta:   publishedMeta{publishedOfficial{status, p.row.UpdatedAt, p.row.CreatedAt, p.row.UpdatedAt, true}},
	}
}
