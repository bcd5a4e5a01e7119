package npm

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/Masterminds/semver/v3"

	"steward/internal/fault"
)

// Release is one version of a package as its registry describes it.
type Release struct {
	Version   string
	Published time.Time // zero where the registry does not say
	Node      string    // engines.node: the range of Node.js that it asks for, "" for any
}

// Exact looks one version up.
func (t *Tool) Exact(ctx context.Context, home, name, version string) (Release, error) {
	d, err := t.view(ctx, home, name+"@"+version)
	if err != nil {
		return Release{}, err
	}
	return d.release(), nil
}

// Latest picks what an installation without a version takes: what the registry calls latest if it was published
// before the given time, else the greatest earlier release that was. It returns Invalid if there is none.
func (t *Tool) Latest(ctx context.Context, home, name string, before time.Time) (Release, error) {
	d, err := t.view(ctx, home, name)
	if err != nil {
		return Release{}, err
	}
	version, ok := d.choose(before)
	switch {
	case !ok:
		return Release{}, fault.InvalidField("body.version", "every release of the package is younger than this server takes by itself; name one")
	case version == d.Version:
		return d.release(), nil
	}
	return t.Exact(ctx, home, name, version)
}

// document is npm's answer to view: the manifest of one version, with what the registry says of all.
type document struct {
	Version  string                     `json:"version"`
	Engines  json.RawMessage            `json:"engines"`
	Versions list                       `json:"versions"`
	Time     map[string]json.RawMessage `json:"time"`
}

func (t *Tool) view(ctx context.Context, home, spec string) (*document, error) {
	out, err := t.run(ctx, "", home, "view", spec)
	if err != nil {
		return nil, fmt.Errorf("look up npm package: %w", err)
	}
	var d document
	if err := json.Unmarshal(out, &d); err != nil || d.Version == "" {
		return nil, fault.Wrap(err, fault.Upstream, "npm's description of the package cannot be read")
	}
	return &d, nil
}

func (d *document) release() Release {
	var engines struct {
		Node string `json:"node"`
	}
	_ = json.Unmarshal(d.Engines, &engines) // old packages have a list there, which means nothing
	return Release{Version: d.Version, Published: d.published(d.Version), Node: engines.Node}
}

func (d *document) published(version string) time.Time {
	var at time.Time
	_ = json.Unmarshal(d.Time[version], &at) // absent, or the note that something was withdrawn
	return at
}

func (d *document) choose(before time.Time) (string, bool) {
	if d.published(d.Version).Before(before) {
		return d.Version, true
	}
	newest, err := semver.StrictNewVersion(d.Version)
	if err != nil {
		return "", false
	}
	var best *semver.Version
	for _, text := range d.Versions {
		v, err := semver.StrictNewVersion(text)
		at := d.published(text)
		if err != nil || v.Prerelease() != "" || v.GreaterThan(newest) || at.IsZero() || !at.Before(before) {
			continue
		}
		if best == nil || v.GreaterThan(best) {
			best = v
		}
	}
	if best == nil {
		return "", false
	}
	return best.Original(), true
}

// list is a JSON list of which npm leaves the brackets away when it has one element.
type list []string

// UnmarshalJSON reads both forms.
func (l *list) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		*l = make(list, 1)
		return json.Unmarshal(text, &(*l)[0])
	}
	return json.Unmarshal(text, (*[]string)(l))
}
