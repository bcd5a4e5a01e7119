package config

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"

	"steward/internal/fault"
)

// KeysFile is the name of the file in the data folder that holds generated keys.
const KeysFile = "keys.env"

// Load reads all settings through lookup (os.LookupEnv), taking secrets that are missing there from the
// keys file of the data folder; a variable set to nothing counts as missing. required names the variables
// that the caller cannot do without: Serving for a server, DATABASE_URL for a migration. Everything
// wrong is reported at once as one fault of kind Invalid with a field per variable, without any value.
func Load(lookup func(string) (string, bool), required ...string) (*Config, error) {
	problems := &problems{}
	environment := map[string]string{}
	for _, row := range rows() {
		if value := problems.read(row, lookup); value != "" {
			environment[row.Name] = value
		}
	}
	cfg := &Config{}
	data := environment["STEWARD_DATA"]
	if data == "" {
		data = rows()[0].Default
	}
	path := filepath.Join(data, KeysFile)
	switch stored, err := readKeys(path); {
	case err == nil:
		for _, row := range rows() {
			if row.Secret && environment[row.Name] == "" && stored[row.Name] != "" {
				environment[row.Name] = stored[row.Name]
				cfg.stored = append(cfg.stored, row.Name)
			}
		}
	case !errors.Is(err, fs.ErrNotExist):
		problems.add(KeysFile, err.Error())
	}
	problems.parse(cfg, environment)
	problems.googleClient(cfg)
	cfg.complete()
	for _, name := range required {
		if environment[name] == "" && !problems.has(name) && !cfg.excuses(name) {
			problems.add(name, "is not set")
		}
	}
	problems.validate(cfg)
	return cfg, problems.fault()
}

// complete fills what defaults to another setting.
func (c *Config) complete() {
	c.HTTP.PublicURL = strings.TrimRight(c.HTTP.PublicURL, "/")
	if c.Keys.Secrets.IsZero() {
		c.Keys.Secrets = c.Keys.Secret
	}
	if c.Database.MigrateURL.IsZero() {
		c.Database.MigrateURL = c.Database.URL
	}
	if c.Launch.Packages == "" {
		c.Launch.Packages = filepath.Join(c.Data, "packages")
	}
	if c.Auth.Issuer == "" {
		c.Auth.Issuer = c.HTTP.PublicURL
	}
	if c.Auth.Audience == "" {
		c.Auth.Audience = c.HTTP.PublicURL
	}
}

// excuses says that another variable stands in for a required one.
func (c *Config) excuses(name string) bool {
	switch name {
	case "FERNET_KEYS":
		return !c.Keys.Secrets.IsZero()
	case "STEWARD_SIGNING_KEY":
		return c.Auth.Algorithm == HS256 && !c.Auth.SharedKey.IsZero()
	}
	return false
}

// problems collects complaints, one per variable.
type problems struct{ fields []fault.Field }

func (p *problems) add(name, message string) {
	p.fields = append(p.fields, fault.Field{Location: name, Message: message})
}

func (p *problems) has(name string) bool {
	return slices.ContainsFunc(p.fields, func(f fault.Field) bool { return f.Location == name })
}

// read gets a variable, or for secrets the file that NAME_FILE names.
func (p *problems) read(row Row, lookup func(string) (string, bool)) string {
	value, _ := lookup(row.Name)
	if !row.Secret {
		return value
	}
	path, _ := lookup(row.Name + "_FILE")
	if path == "" {
		return value
	}
	if value != "" {
		p.add(row.Name, "is set together with "+row.Name+"_FILE")
		return value
	}
	content, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		p.add(row.Name, "the file of "+row.Name+"_FILE cannot be read")
		return ""
	}
	return strings.TrimSpace(string(content))
}

// parse fills cfg. The library's errors repeat values, so only the names are taken from them.
func (p *problems) parse(cfg *Config, environment map[string]string) {
	err := env.ParseWithOptions(cfg, env.Options{Environment: environment})
	if err == nil {
		return
	}
	aggregate, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		p.add("environment", "cannot be read")
		return
	}
	for _, one := range aggregate.Errors {
		name, kind := "environment", "valid"
		if parse, ok := errors.AsType[env.ParseError](one); ok {
			for _, row := range rows() {
				if row.field == parse.Name {
					name, kind = row.Name, "a valid "+parse.Type.String()
				}
			}
		}
		p.add(name, "is not "+kind)
	}
}

func (p *problems) fault() error {
	if len(p.fields) == 0 {
		return nil
	}
	slices.SortFunc(p.fields, func(a, b fault.Field) int { return cmp.Compare(a.Location, b.Location) })
	var lines []string
	for _, f := range p.fields {
		lines = append(lines, f.Location+" "+f.Message)
	}
	return &fault.Error{
		Kind: fault.Invalid, Code: "invalid_settings", Fields: p.fields,
		Msg: "settings: " + strings.Join(lines, "; "),
	}
}
