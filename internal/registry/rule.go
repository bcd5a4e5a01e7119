package registry

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"steward/internal/fault"
	"steward/internal/registry/input"
	"steward/internal/secret"
)

// Bounds of what is registered, in bytes where they are of a text.
const (
	maxArgs     = 64
	maxArgument = 4096
	maxEnv      = 64
	maxHeaders  = 32
	maxTags     = 32
	maxTag      = 64
)

// MaxTimeout is what an owner may allow one call at most, so that it fits into an attempt of an activity. What was saved
// before this was a rule may be more.
const MaxTimeout = 4 * time.Minute

// complaints collects what is wrong with a request.
type complaints []fault.Field

func (c *complaints) say(location, format string, args ...any) {
	*c = append(*c, fault.Field{Location: location, Message: fmt.Sprintf(format, args...)})
}

// fault is all of it as one Invalid fault, nil if there is nothing.
func (c *complaints) fault() error {
	switch all := *c; len(all) {
	case 0:
		return nil
	case 1:
		return &fault.Error{Kind: fault.Invalid, Msg: all[0].Location + ": " + all[0].Message, Fields: all}
	default:
		return &fault.Error{Kind: fault.Invalid, Msg: fmt.Sprintf("%d fields of the request are not valid", len(all)), Fields: all}
	}
}

var (
	serverName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	numeric    = regexp.MustCompile(`^[0-9]+$`)
	imageName  = regexp.MustCompile(`^[a-z0-9][a-z0-9._/:@-]{0,254}$`) // a reference as OCI distributions name images
)

// checkName says what is wrong with a server's name: it stands in paths, in names of functions and beside numbers.
func checkName(name string) string {
	switch {
	case !serverName.MatchString(name):
		return "must begin with a letter or digit and hold 1 to 128 of A-Z a-z 0-9 . _ -"
	case numeric.MatchString(name):
		return "must not be a number: servers have numbers of their own"
	}
	return ""
}

// fetchers are programs that run whatever an index serves at that moment: nothing pins it, nobody has looked at it.
var fetchers = []string{"npx", "npm", "pnpx", "pnpm", "bunx", "yarn", "uvx", "uv", "pipx", "pip", "pip3", "deno"}

// check says what is wrong with a server as it would be stored. Who may store it is another question.
func (s *Server) check() complaints {
	var wrong complaints
	if why := checkName(s.Name); why != "" {
		wrong.say("body.name", "%s", why)
	}
	switch s.Transport {
	case transportStdio:
		s.checkCommand(&wrong)
	case transportHTTP:
		s.checkRemote(&wrong)
	default:
		wrong.say("body.transportType", "must be stdio or streamable_http")
	}
	if s.Image != "" && !imageName.MatchString(s.Image) {
		wrong.say("body.docker_image_url", "is not the name of a container image")
	}
	if s.Timeout < 0 || s.Timeout > MaxTimeout {
		wrong.say("body.timeout_ms", "must be between 0 and %d", MaxTimeout.Milliseconds())
	}
	if len(s.Tags) > maxTags || slices.ContainsFunc(s.Tags, func(tag string) bool { return tag == "" || len(tag) > maxTag || !printable(tag) }) {
		wrong.say("body.tags", "at most %d words of 1 to %d bytes", maxTags, maxTag)
	}
	wrong = append(wrong, input.Check("body.env_schema", s.EnvSchema, checkEnvName)...)
	wrong = append(wrong, input.Check("body.header_schema", s.HeaderSchema, checkHeaderName)...)
	return wrong
}

func (s *Server) checkCommand(wrong *complaints) {
	switch base := strings.TrimSuffix(filepath.Base(s.Command), ".exe"); {
	case s.Command == "":
		wrong.say("body.command", "is required for stdio")
	case len(s.Command) > maxArgument || !printable(s.Command) || strings.TrimSpace(s.Command) != s.Command:
		wrong.say("body.command", "must be the path of a program, or its name: not a line for a shell")
	case slices.Contains(fetchers, strings.ToLower(base)):
		wrong.say("body.command", "would run what an index serves at that moment: install it with POST /packages/install")
	}
	if len(s.Args) > maxArgs {
		wrong.say("body.args", "holds more than %d", maxArgs)
	}
	for i, arg := range s.Args {
		if len(arg) > maxArgument || strings.ContainsAny(arg, "\x00\r\n") {
			wrong.say(fmt.Sprintf("body.args[%d]", i), "holds a line break or U+0000, or is longer than %d bytes", maxArgument)
		}
	}
	checkValues(wrong, "body.env", s.Env, maxEnv, checkEnvName, checkEnvValue)
	checkInputs(wrong, "body.env", s.Env, s.EnvSchema)
	if s.URL != "" || len(s.Headers) > 0 || len(s.HeaderSchema) > 0 || s.Reconnect != (Reconnect{}) || !s.SessionID.IsZero() {
		wrong.say("body.transportType", "url, headers, header_schema, sessionId and reconnectionOptions are for streamable_http")
	}
}

func (s *Server) checkRemote(wrong *complaints) {
	if s.URL == "" {
		wrong.say("body.url", "is required for streamable_http")
	}
	if s.Command != "" || len(s.Args) > 0 || len(s.Env) > 0 || len(s.EnvSchema) > 0 {
		wrong.say("body.transportType", "command, args, env and env_schema are for stdio")
	}
	checkValues(wrong, "body.headers", s.Headers, maxHeaders, checkHeaderName, checkHeaderValue)
	checkInputs(wrong, "body.headers", s.Headers, s.HeaderSchema)
	if why := checkHeaderValue(s.SessionID.Reveal()); why != "" {
		wrong.say("body.sessionId", "%s", why)
	}
	if r := s.Reconnect; r.MaxDelay < 0 || r.MaxDelay > 3_600_000 || r.InitialDelay < 0 || r.InitialDelay > 3_600_000 ||
		r.Grow < 0 || r.Grow > 10 || r.Grow != 0 && r.Grow < 1 || r.Retries < 0 || r.Retries > 100 {
		wrong.say("body.reconnectionOptions", "delays are 0 to 3600000 ms, the factor 1 to 10, retries 0 to 100")
	}
}

// checkValues judges the names and values of an environment or of headers. Its complaints name the variable, if its
// name can be shown, and never repeat the value.
func checkValues(wrong *complaints, at string, values map[string]secret.String, most int, name, value func(string) string) {
	if len(values) > most {
		wrong.say(at, "holds more than %d", most)
		return
	}
	seen := map[string]bool{}
	for _, n := range slices.Sorted(maps.Keys(values)) {
		where := at
		if n != "" && len(n) <= 64 && printable(n) {
			where += "." + n
		}
		if why := name(n); why != "" {
			wrong.say(where, "%s", why)
		} else if why := value(values[n].Reveal()); why != "" {
			wrong.say(where, "%s", why)
		} else if strings.HasPrefix(values[n].Reveal(), refPrefix) {
			wrong.say(where, "refers to nothing that is saved")
		} else if folded := strings.ToLower(n); seen[folded] {
			wrong.say(where, "stands there twice")
		} else {
			seen[folded] = true
		}
	}
}

// checkInputs judges what is saved for declared inputs, and whether what is not secret, and so is no user's to bring,
// is all there.
func checkInputs(wrong *complaints, at string, values map[string]secret.String, fields []input.Field) {
	for i, f := range fields {
		v, saved := values[f.Name]
		switch {
		case saved && f.Value != "":
			wrong.say(at+"."+f.Name, "has a fixed value")
		case saved && f.Fits(v.Reveal()) != "":
			wrong.say(at+"."+f.Name, "%s", f.Fits(v.Reveal()))
		case !saved && f.Required && !f.Secret && f.Value == "" && f.Default == "":
			wrong.say(at+"."+f.Name, "is required")
		}
		for name, variable := range f.Variables {
			if _, given := values[name]; variable.Required && !variable.Secret && variable.Default == "" && !given {
				wrong.say(fmt.Sprintf("%s_schema[%d]", strings.TrimSuffix(at, "s"), i), "the variable %s needs a default: nobody is asked for it", name)
			}
		}
	}
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\uFFFD' })
}

// checkURL judges where a server is. Users name public https addresses; what is private must be allowed by the
// operator, for the owner of a Private server or else for everybody.
func (r *Registry) checkURL(ctx context.Context, s *Server, owner string, byAdmin bool) error {
	if s.Transport != transportHTTP || s.URL == "" {
		return nil
	}
	if !s.Private {
		owner = ""
	}
	return checkAddress(ctx, s.URL, byAdmin, r.exits.Of(owner))
}
