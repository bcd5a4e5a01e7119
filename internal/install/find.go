package install

import (
	"context"
	"fmt"
	"strings"

	"steward/internal/fault"
	"steward/internal/store"
)

// Find returns the package that somebody names: by its own name, or by that of its server. One that is installed for
// several servers is a Conflict by its own name, which tells the servers'.
func (s *Service) Find(ctx context.Context, name string) (*store.FindPackagesRow, error) {
	rows, err := s.db.FindPackages(ctx, store.FindPackagesParams{ServerName: name, Name: name})
	if err != nil {
		return nil, fmt.Errorf("find package: %w", err)
	}
	var byName, byServer []*store.FindPackagesRow
	var servers []string
	for _, r := range rows {
		if r.Package.Name == name {
			byName, servers = append(byName, r), append(servers, r.Package.ServerName)
		}
		if r.Package.ServerName == name {
			byServer = append(byServer, r)
		}
	}
	switch {
	case len(byName) == 1:
		return byName[0], nil
	case len(byServer) == 1:
		return byServer[0], nil
	case len(byName) == 0:
		return nil, fault.New(fault.NotFound, "Package %s not found", printable(name))
	}
	return nil, fault.New(fault.Conflict, "Package %s is installed for several servers: name one of %s", printable(name), strings.Join(servers, ", ")).
		WithCode("package_ambiguous")
}

// FindServer returns the package of a server.
func (s *Service) FindServer(ctx context.Context, serverName string) (*store.FindPackagesRow, error) {
	rows, err := s.db.FindPackages(ctx, store.FindPackagesParams{ServerName: serverName})
	if err != nil {
		return nil, fmt.Errorf("find package: %w", err)
	}
	if len(rows) == 0 {
		return nil, fault.New(fault.NotFound, "Package for server %s not found", printable(serverName))
	}
	return rows[0], nil
}

// printable is a caller's text as an answer may repeat it.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f {
			return '?'
		}
		return r
	}, text[:min(len(text), 214)])
}
