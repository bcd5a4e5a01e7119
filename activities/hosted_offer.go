package activities

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/llm"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/tool"
)

// hostedTime is how long one answer with the provider's own calls may take: a token must outlive it.
const hostedTime = 15 * time.Minute

// hosting is what one request lets the provider do.
type hosting struct {
	offers []offered
	lent   map[string]lending // by label
	news   []*store.ToolCall  // calls that the provider makes when it reads their approval
}

// lending is the access to one server that went into a request.
type lending struct {
	row    *store.MCPServer
	access registry.Access
}

// offered is the audited part of what the provider is told of a server: what it may do and with which token, of
// which a fingerprint is kept.
type offered struct {
	Label    string            `json:"label"`
	Server   string            `json:"server"`
	Host     string            `json:"host"`
	Allowed  []string          `json:"allowed"`
	Freely   []string          `json:"freely"`
	Approval string            `json:"approval"` // of everything that is not free
	Token    string            `json:"token,omitempty"`
	Headers  map[string]string `json:"headers,omitempty"` // names, with fingerprints of the values
}

// offer names the run's servers to the provider, each with the access that it needs.
func (r *Run) offer(ctx context.Context, t *transcript, req *llm.Request) (*hosting, error) {
	h := &hosting{lent: map[string]lending{}}
	for _, o := range t.catalogue.Offers(t.run.Approval) {
		row, err := r.registry.Server(ctx, t.run.Owner, o.Server)
		if err != nil {
			return nil, err
		}
		if row == nil || !row.Enabled {
			return nil, fault.New(fault.NotFound, "the server %s is no longer there or is disabled", o.Name).WithCode("server_gone")
		}
		if err := registry.CheckPublic(row); err != nil { // changed since the run was accepted
			return nil, fault.New(fault.Forbidden, "the model's provider cannot call the server %s: %s", o.Name, err).WithCode("egress_denied")
		}
		access, err := r.registry.Lend(ctx, t.run.Owner, row, hostedTime)
		if err != nil {
			return nil, err
		}
		server := hostedServer(o, row, access)
		req.Servers = append(req.Servers, server)
		h.lent[o.Label] = lending{row, access}
		h.offers = append(h.offers, audited(o, server))
	}
	return h, nil
}

// hostedServer is the server as the request names it. A static bearer token goes where the provider wants tokens.
func hostedServer(o tool.Offer, row *store.MCPServer, access registry.Access) llm.HostedServer {
	s := llm.HostedServer{
		Label: o.Label, URL: row.URL, Description: tool.Clean(row.Description, 1000), Authorization: access.Bearer,
		Allowed: o.Allowed, Freely: o.Freely, Headers: map[string]secret.String{},
	}
	for name, value := range access.Headers {
		token, bearer := strings.CutPrefix(value.Reveal(), "Bearer ")
		switch {
		case !strings.EqualFold(name, "Authorization"):
			s.Headers[name] = value
		case !access.Bearer.IsZero(): // the user's own goes before what is saved for everybody
		case bearer:
			s.Authorization = secret.New(token)
		default:
			s.Headers[name] = value
		}
	}
	return s
}

func audited(o tool.Offer, s llm.HostedServer) offered {
	out := offered{Label: o.Label, Server: o.Name, Allowed: o.Allowed, Freely: o.Freely, Approval: "always"}
	if u, err := url.Parse(s.URL); err == nil {
		out.Host = u.Host
	}
	if out.Freely == nil {
		out.Freely = []string{}
	}
	if !s.Authorization.IsZero() {
		out.Token = fingerprint(s.Authorization)
	}
	for name, value := range s.Headers {
		if out.Headers == nil {
			out.Headers = map[string]string{}
		}
		out.Headers[name] = fingerprint(value)
	}
	return out
}

// fingerprint tells tokens apart without telling them: 32 bits of a digest.
func fingerprint(s secret.String) string { return hashed("token", s.Reveal())[:8] }

// callIDs are the ledger's ids of those calls that must be passed on once: reading again does no harm.
func callIDs(rows []*store.ToolCall) []string {
	ids := []string{}
	for _, row := range rows {
		if automation.Class(row.Class) != automation.Read {
			ids = append(ids, row.ID)
		}
	}
	return ids
}

// named is what people call the server that the provider knows as label.
func (h *hosting) named(label string) string {
	if l, ok := h.lent[label]; ok {
		return l.row.Name
	}
	return fmt.Sprintf("%q", tool.Clean(label, 100))
}
