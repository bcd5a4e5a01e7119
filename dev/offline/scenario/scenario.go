// Package scenario plays written conversations: a scenario says which instructions it is for, which
// tools it needs, which calls it makes one after another and how its final text reads. Scenarios
// are YAML files; texts in them are text/template templates over a scope (see scope.go).
package scenario

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Scenario is one file.
type Scenario struct {
	Name    string             `yaml:"name"`
	About   string             `yaml:"about"`   // for the reader
	Match   Match              `yaml:"match"`   // on the instruction
	Needs   map[string]string  `yaml:"needs"`   // alias → globs of a tool that must be offered
	Wants   map[string]string  `yaml:"wants"`   // alias → globs of a tool used when offered
	Capture map[string]Pattern `yaml:"capture"` // name → what to take out of the instruction
	Steps   []Step             `yaml:"steps"`
	Final   Template           `yaml:"final"`
	Facts   Facts              `yaml:"facts"`
}

// Step is one use of a tool, or one per item of an earlier result.
type Step struct {
	As       string         `yaml:"as"`       // under which name the result is found
	Call     string         `yaml:"call"`     // alias of the tool
	When     *Template      `yaml:"when"`     // the step is skipped when this renders to nothing or "false"
	Each     string         `yaml:"each"`     // path of a list; one parallel call per item
	Except   *Template      `yaml:"except"`   // items for which this renders to something else than "false" are left out
	Cap      int            `yaml:"cap"`      // most calls of Each, by default 25
	Args     map[string]Arg `yaml:"args"`     // what the tool does not declare is left out
	Optional bool           `yaml:"optional"` // its failure does not end the scenario
	IfError  *Step          `yaml:"if_error"` // played when every call failed
}

// Pattern is a regular expression; the capture is its first group, or all of it.
type Pattern struct{ *regexp.Regexp }

// UnmarshalYAML compiles the expression.
func (p *Pattern) UnmarshalYAML(node *yaml.Node) (err error) {
	p.Regexp, err = regexp.Compile(node.Value)
	return err
}

func (p Pattern) find(text string) string {
	m := p.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return strings.TrimSpace(m[min(1, len(m)-1)])
}

//go:embed builtin/*.yaml
var builtin embed.FS

// Builtin holds the scenarios that ship with Steward.
func Builtin() fs.FS {
	sub, err := fs.Sub(builtin, "builtin")
	if err != nil {
		panic(err) // the directory is compiled in
	}
	return sub
}

// Load reads every *.yaml file at the root, in the order of their names, which is the order in which
// they are tried. Unknown keys, broken templates and unknown aliases are errors.
func Load(files fs.FS) ([]*Scenario, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list scenarios: %w", err)
	}
	var list []*Scenario
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read scenario: %w", err)
		}
		s := &Scenario{}
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		decoder.KnownFields(true)
		if err := decoder.Decode(s); err != nil {
			return nil, fmt.Errorf("scenario %s: %w", name, err)
		}
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("scenario %s: %w", name, err)
		}
		list = append(list, s)
	}
	return list, nil
}

func (s *Scenario) check() error {
	if s.Name == "" || s.Final.parsed == nil || len(s.Steps) == 0 {
		return fmt.Errorf("name, steps and final are required")
	}
	for _, globs := range []map[string]string{s.Needs, s.Wants} {
		for alias, glob := range globs {
			if _, err := path.Match(glob, ""); err != nil {
				return fmt.Errorf("tool %s: %w", alias, err)
			}
		}
	}
	for i := range s.Steps {
		for step := &s.Steps[i]; step != nil; step = step.IfError {
			if s.Needs[step.Call] == "" && s.Wants[step.Call] == "" {
				return fmt.Errorf("step %s calls %q, which is neither in needs nor in wants", step.As, step.Call)
			}
		}
	}
	return nil
}
