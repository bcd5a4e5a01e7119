package install

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"steward/internal/fault"
	"steward/internal/idempotency"
	"steward/internal/install/npm"
	"steward/internal/install/python"
	"steward/internal/registry"
	"steward/internal/registry/input"
	"steward/internal/secret"
)

// Request is a package to be installed for a new server.
type Request struct {
	Name         string
	Version      string // exact; empty or "latest": what the index calls so, resolved once
	ServerName   string
	Transport    string // "stdio", which is the default, or "streamable_http"
	Command      string // the runtime's name, or nothing
	Args         []string
	Env          map[string]secret.String
	URL          string
	Headers      map[string]secret.String
	Enabled      bool
	Runtime      string // Node, which is the default, or Python
	PythonModule string
	PythonArgs   []string
	Index        python.Index
	About        About

	Once idempotency.Once // of the request that asks for it
}

// About is what a server.json says of a server.
type About struct {
	Title       string          `json:"title,omitempty"`
	Description string          `json:"description,omitempty"`
	WebsiteURL  string          `json:"website_url,omitempty"`
	EnvSchema   []input.Field   `json:"env_schema,omitempty"`
	Manifest    json.RawMessage `json:"manifest,omitempty"`
}

// Transports of a request.
const (
	Stdio          = "stdio"
	StreamableHTTP = "streamable_http"
)

// serverName is also the name of a folder.
var serverName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$`)

const latest = "latest"

// normalize fills in defaults and refuses what cannot be installed, as Invalid at locations in the body.
func (r *Request) normalize() error {
	r.Transport = cmp.Or(r.Transport, Stdio)
	if r.Version == latest {
		r.Version = ""
	}
	if !serverName.MatchString(r.ServerName) || strings.Contains(r.ServerName, "..") {
		return fault.InvalidField("body.serverName", "takes up to 64 letters, digits, dots, dashes and underscores")
	}
	if r.Transport == StreamableHTTP {
		return r.remote()
	}
	if r.Transport != Stdio {
		return fault.InvalidField("body.transportType", "is neither stdio nor streamable_http")
	}
	r.Runtime = cmp.Or(r.Runtime, Node)
	switch {
	case r.Command != "" && r.Command != r.Runtime:
		return fault.InvalidField("body.command", "is chosen by the server: leave it out, or name the runtime")
	case r.URL != "":
		return fault.InvalidField("body.url", "is for transportType streamable_http")
	case len(r.Headers) > 0:
		return fault.InvalidField("body.headers", "are for transportType streamable_http")
	case r.Runtime == Python:
		return r.python()
	case r.Runtime == Node:
		return r.node()
	}
	return fault.InvalidField("body.runtime", "is neither node nor python")
}

func (r *Request) node() error {
	switch {
	case r.PythonModule != "":
		return fault.InvalidField("body.pythonModule", "is for runtime python")
	case len(r.PythonArgs) > 0:
		return fault.InvalidField("body.pythonArgs", "are for runtime python")
	case r.Index != python.Index{}:
		return fault.InvalidField("body.pipIndexUrl", "is for runtime python")
	}
	if err := npm.CheckName("body.name", r.Name); err != nil {
		return err
	}
	if err := checkArguments("body.args", r.Args); err != nil || r.Version == "" {
		return err
	}
	return npm.CheckVersion("body.version", r.Version)
}

func (r *Request) python() error {
	if len(r.Args) > 0 {
		if len(r.PythonArgs) > 0 {
			return fault.InvalidField("body.args", "stands beside pythonArgs: give one of them")
		}
		r.Args, r.PythonArgs = nil, r.Args
	}
	if err := python.CheckName("body.name", r.Name); err != nil {
		return err
	}
	if r.PythonModule == "" {
		return fault.InvalidField("body.pythonModule", "is required for runtime python")
	}
	if err := python.CheckModule("body.pythonModule", r.PythonModule); err != nil {
		return err
	}
	if err := checkArguments("body.pythonArgs", r.PythonArgs); err != nil {
		return err
	}
	if err := python.CheckIndex("body.pipIndexUrl", r.Index.URL); err != nil {
		return err
	}
	if err := python.CheckIndex("body.pipExtraIndexUrl", r.Index.Extra); err != nil || r.Version == "" {
		return err
	}
	return python.CheckVersion("body.version", r.Version)
}

// remote is a server at a URL. Its command, args and env are ignored, as the service before this one did.
func (r *Request) remote() error {
	if r.Runtime == Python {
		return fault.InvalidField("body.runtime", "python needs transportType stdio")
	}
	if r.URL == "" {
		return fault.InvalidField("body.url", "is required for transportType streamable_http")
	}
	if u, err := url.Parse(r.URL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Fragment != "" {
		return fault.InvalidField("body.url", "is not the https address of an MCP server")
	}
	r.Runtime, r.Command, r.Args, r.Env = Remote, "", nil, nil
	if err := npm.CheckName("body.name", r.Name); err != nil || r.Version == "" {
		return err
	}
	return npm.CheckVersion("body.version", r.Version)
}

// checkVersion refuses what is not one exact version in the runtime's own notation.
func checkVersion(runtime, version string) error {
	if runtime == Python {
		return python.CheckVersion("body.version", version)
	}
	return npm.CheckVersion("body.version", version)
}

// checkArguments refuses what could end an argument early. They come behind the program's own, so that a dash in
// front of one is the program's business.
func checkArguments(location string, args []string) error {
	for i, a := range args {
		if strings.ContainsFunc(a, unicode.IsControl) {
			return fault.InvalidField(fmt.Sprintf("%s[%d]", location, i), "holds a control character")
		}
	}
	return nil
}

// asked is what of a request stays in the package's row. It holds no secrets.
type asked struct {
	URL     string   `json:"url,omitempty"`
	Module  string   `json:"module,omitempty"`
	Args    []string `json:"args,omitempty"`
	Enabled bool     `json:"enabled"`
	About   About    `json:"about,omitzero"`
}

func (r *Request) asked() (json.RawMessage, error) {
	args := r.Args
	if r.Runtime == Python {
		args = r.PythonArgs
	}
	doc, err := json.Marshal(asked{URL: r.URL, Module: r.PythonModule, Args: args, Enabled: r.Enabled, About: r.About})
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	return doc, nil
}

// server is what would be registered, as far as it is known before anything is installed.
func (r *Request) server() registry.Server {
	s := registry.Server{Name: r.ServerName, Transport: "stdio", Command: r.Runtime, Args: r.Args, Env: r.Env}
	s.EnvSchema = r.About.EnvSchema
	if r.Runtime == Remote {
		s = registry.Server{Name: r.ServerName, Transport: "http", URL: r.URL, Headers: r.Headers}
	}
	return s
}
