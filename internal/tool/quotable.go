package tool

import (
	"errors"

	"steward/internal/mcpclient"
	"steward/internal/registry"
	"steward/internal/store"
)

// quotable is a server's error as it may be logged: it repeats the last line of the server's stderr, and a
// careless server prints its secrets there.
func quotable(reg *registry.Registry, s *store.MCPServer, err error) error {
	if _, ok := errors.AsType[*mcpclient.Error](err); !ok {
		return err // ours
	}
	redactor, failed := reg.Redactor(s)
	if failed != nil {
		return errors.New("withheld: the server's secrets could not be read to remove them")
	}
	return errors.New(redactor.Text(err.Error()))
}
