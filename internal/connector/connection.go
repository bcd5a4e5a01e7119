package connector

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"steward/internal/oauth"
	"steward/internal/store"
)

// Connection is one connector as a user has connected it.
type Connection struct {
	ID         string // in requests: the connector's name, or db_<random> of what was connected with a form
	Name       string // for people
	Connector  *Connector
	Credential *oauth.Credential // of a provider's consent; nil with a form

	row *store.Connection // with a form
}

// Place is where a connection that was made with a form leads, for people.
func (c Connection) Place() string { return c.row.Place }

// Offers are the boxes that were ticked and open further tools.
func (c Connection) Offers() []string { return c.row.Offers }

// Since is when it was connected with a form.
func (c Connection) Since() time.Time { return c.row.CreatedAt }

// Granted says whether the consent behind the connection, if there is one, covers a tool.
func (c Connection) Granted(t Tool) bool {
	return c.Credential == nil || t.grantedBy(c.Credential.Scopes)
}

// Tools are the connection's tools under their whole names.
func (c Connection) Tools() []Tool {
	if c.row == nil {
		return c.Connector.Tools
	}
	name := strings.NewReplacer("{name}", fmt.Sprintf("'%s' (%s)", c.Name, c.Connector.Title))
	out := make([]Tool, 0, len(c.Connector.Tools))
	for _, t := range c.Connector.Tools {
		if t.Needs != "" && !slices.Contains(c.row.Offers, t.Needs) {
			continue
		}
		t.Name += "_" + c.ID
		t.Title, t.Description = name.Replace(t.Title), name.Replace(t.Description)
		out = append(out, t)
	}
	return out
}

// idPrefix begins the ids of what was connected with a form, as in seed 002.
const idPrefix = "db_"

var idAtEnd = regexp.MustCompile(`^[A-Z][A-Z0-9_]*_(` + idPrefix + `[a-z0-9]+)$`)

// idIn is the id at the end of a tool's whole name.
func idIn(name string) (string, bool) {
	found := idAtEnd.FindStringSubmatch(name)
	if found == nil {
		return "", false
	}
	return found[1], true
}
