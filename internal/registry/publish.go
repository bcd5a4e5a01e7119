package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"

	"steward/internal/auth"
	"steward/internal/registry/manifest"
	"steward/internal/store"
)

// Publication is a server as the official registry describes it.
type Publication struct {
	Name     string // in reverse DNS
	Version  string
	Document json.RawMessage // the server.json
}

// Publish describes a server to p: by the server.json that it was imported from, else by what p needs to reach it or to
// install it. It holds what is asked for and nothing that is saved. An address that an admin has written is no public
// one, and may hold a credential: who may not change the server learns no more of it than that it is here. host is ours:
// servers that come without a name of their own are named after it.
func (r *Registry) Publish(ctx context.Context, p auth.Principal, s *store.MCPServer, host string) (Publication, error) {
	o, err := r.settings(s)
	if err != nil {
		return Publication{}, err
	}
	m := manifest.Manifest{
		Schema: manifest.Schema, Name: reversed(host) + "/" + s.Name, Title: s.Title, Description: s.Description, Version: s.Release, WebsiteURL: s.WebsiteURL,
	}
	if len(s.Manifest) > 0 {
		own, err := manifest.Parse("server", s.Manifest)
		if err == nil {
			return Publication{own.Name, own.Version, s.Manifest}, nil
		}
		r.log.WarnContext(ctx, "server.json not read", "server", s.ID, "error", err)
	}
	if m.Version == "" {
		m.Version = fmt.Sprintf("0.0.%d", s.UpdatedAt.Unix()) // what was published under a version stays as it is
	}
	switch s.Transport {
	case transportHTTP:
		if mayChange(p, s) != nil {
			break
		}
		kind := manifest.StreamableHTTP
		if s.Wire == "sse" {
			kind = manifest.SSE
		}
		m.Remotes = []manifest.Remote{{Type: kind, URL: s.URL, Headers: o.headerInput}}
	default:
		pkg, err := r.db.PublishedPackage(ctx, s.ID)
		switch {
		case store.IsNoRows(err): // a program of this machine: there is nothing that others could do with it
		case err != nil:
			return Publication{}, fmt.Errorf("read package of server: %w", err)
		default:
			m.Packages = []manifest.Package{{
				Registry: indexOf(pkg.Runtime), Identifier: pkg.Name, Version: pkg.Version, Transport: manifest.Transport{Type: "stdio"}, Environment: o.envInputs,
			}}
		}
	}
	doc, err := json.Marshal(m)
	if err != nil {
		return Publication{}, fmt.Errorf("encode server.json: %w", err)
	}
	return Publication{m.Name, m.Version, doc}, nil
}

func indexOf(runtime string) string {
	if runtime == "python" {
		return manifest.PyPI
	}
	return manifest.NPM
}

// reversed is a host in reverse DNS. Numbers have none.
func reversed(host string) string {
	if net.ParseIP(host) != nil || host == "" {
		return "localhost"
	}
	labels := strings.Split(strings.ToLower(host), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".")
}
