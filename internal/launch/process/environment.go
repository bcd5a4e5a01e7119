package process

import (
	"os"
	"slices"
)

// environment is built from nothing, so that no secret of ours reaches a child by accident.
func (s *Spec) environment() []string {
	values := map[string]string{"PATH": os.Getenv("PATH"), "HOME": s.Dir, "LANG": "C.UTF-8"}
	if s.Sandbox != nil {
		values["TMPDIR"] = s.Dir // the machine's own is not the child's
	}
	for name, value := range s.Env {
		values[name] = value.Reveal()
	}
	env := make([]string, 0, len(values))
	for name, value := range values {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}
