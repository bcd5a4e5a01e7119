package api

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/connector"
	"steward/internal/fault"
	"steward/internal/tool"
)

// Source is something that a user's tools belong to, and how it is.
type Source struct {
	Kind   string `json:"kind" enum:"integration,database,server" doc:"What it is." example:"database"`
	ID     string `json:"id" doc:"The integration, the db_id, or the MCP server's name." example:"db_abc123"`
	Name   string `json:"name" doc:"Its name for people." example:"My Analytics DB"`
	Status string `json:"status" enum:"ok,unchecked,needs_reconnect,error" doc:"unchecked: nobody has asked it now. needs_reconnect: the user must consent again." example:"ok"`
	Reason string `json:"reason,omitempty" doc:"Why it is not ok." example:"password authentication failed"`
}

// Words for how a source is, beside reconnectStatus.
const (
	sourceOK        = "ok"
	sourceUnchecked = "unchecked"
	sourceError     = "error"
)

type actionHealthInput struct {
	Caller

	Check bool `query:"check" doc:"Ask every database and server now, which takes up to 5 seconds." example:"true"`
}

type actionHealthBody struct {
	Status  string   `json:"status" enum:"ok,degraded" doc:"degraded: at least one source is not ok." example:"ok"`
	Checked bool     `json:"checked" doc:"Whether databases and servers were asked." example:"false"`
	Sources []Source `json:"sources" doc:"What the user has connected, and the enabled MCP servers."`
}

type actionHealthOutput struct{ Body actionHealthBody }

func (h *actions) registerHealth(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getToolsHealth", Method: http.MethodGet, Path: "/api/tools/health", Tags: []string{"tools"},
			Summary: "See whether one's tools work",
			Description: "Cheap: what is known already. With `check=true` databases are signed in to and servers asked for their tools, all at the same time. " +
				"`GET /health` says whether this service lives.",
		},
		access: access{scope: auth.ToolsRead, calls: true}, // with check it is as much as calls
		answers: actionHealthBody{Status: sourceOK, Sources: []Source{
			{Kind: "integration", ID: "gmail", Name: "Gmail", Status: sourceOK},
			{Kind: "database", ID: exampleDatabase, Name: "My Analytics DB", Status: sourceUnchecked},
		}},
	}, h.health)
}

func (h *actions) health(ctx context.Context, in *actionHealthInput) (*actionHealthOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	connected, err := h.connections.Of(ctx, p.Owner)
	if err != nil {
		return nil, err
	}
	servers, err := h.servers.Visible(ctx, p.Owner)
	if err != nil {
		return nil, err
	}
	out := &actionHealthOutput{Body: actionHealthBody{Status: sourceOK, Checked: in.Check, Sources: []Source{}}}
	for _, c := range connected {
		out.Body.Sources = append(out.Body.Sources, sourceOf(c))
	}
	for _, s := range servers {
		if s.Enabled {
			out.Body.Sources = append(out.Body.Sources, Source{Kind: "server", ID: s.Name, Name: s.Name, Status: sourceUnchecked})
		}
	}
	if in.Check {
		if err := h.check(ctx, p.Owner, connected, out.Body.Sources); err != nil {
			return nil, err
		}
	}
	for _, s := range out.Body.Sources {
		if s.Status != sourceOK && s.Status != sourceUnchecked {
			out.Body.Status = "degraded"
		}
	}
	return out, nil
}

// sourceOf is a connection as far as it is known without asking.
func sourceOf(c connector.Connection) Source {
	switch {
	case c.Credential == nil:
		return Source{Kind: "database", ID: c.ID, Name: c.Name, Status: sourceUnchecked}
	case !c.Credential.Active:
		return Source{Kind: "integration", ID: c.ID, Name: c.Connector.Title, Status: reconnectStatus, Reason: c.Credential.Reason}
	}
	return Source{Kind: "integration", ID: c.ID, Name: c.Connector.Title, Status: sourceOK}
}

// check asks databases and servers at the same time. Sources begin with the connections, in their order.
func (h *actions) check(ctx context.Context, owner string, connected []connector.Connection, sources []Source) error {
	var asked sync.WaitGroup
	for i, c := range connected {
		if c.Credential == nil {
			asked.Go(func() { sources[i].Status, sources[i].Reason = verdictOf(h.connections.Check(ctx, c)) })
		}
	}
	cat, err := h.executor.Callable(ctx, owner)
	asked.Wait()
	if err != nil {
		return err
	}
	absent := map[string]string{}
	for _, a := range cat.Absent {
		if a.Tool == "" {
			absent[a.Server] = a.Reason
		}
	}
	for i := len(connected); i < len(sources); i++ {
		sources[i].Status = sourceOK
		if reason, away := absent[sources[i].ID]; away {
			sources[i].Status, sources[i].Reason = sourceError, reason
		}
	}
	return nil
}

func verdictOf(err error) (status, reason string) {
	if err == nil {
		return sourceOK, ""
	}
	if refusal, ok := errors.AsType[*connector.Error](err); ok {
		return sourceError, tool.Clean(refusal.Reason, maxReason)
	}
	return sourceError, fault.Text(err)
}
