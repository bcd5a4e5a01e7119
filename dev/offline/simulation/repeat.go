package simulation

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"steward/dev/offline/dialog"
)

var repeatForm = regexp.MustCompile(`^(\d+)\s+tool\s+(\S+)(?:\s+args\s+(\{.*\}))?$`)

// repeat calls one tool n times, one call per step or all of them at once, then finishes.
// "{{step}}" in the arguments is the number of the call, from 1, so that calls can differ: a client
// may well stop a run that makes the same call again and again.
func repeat(how, rest string) (func(dialog.Dialog) dialog.Reply, error) {
	m := repeatForm.FindStringSubmatch(rest)
	if m == nil {
		return nil, fmt.Errorf("want: N tool NAME args {json}")
	}
	n, err := count(m[1])
	if err != nil {
		return nil, err
	}
	name, arguments := m[2], m[3]
	if arguments == "" {
		arguments = "{}"
	}
	if !json.Valid([]byte(strings.ReplaceAll(arguments, "{{step}}", "1"))) {
		return nil, fmt.Errorf("the arguments are not JSON")
	}
	return func(d dialog.Dialog) dialog.Reply {
		tool, ok := dialog.Pick(d.Tools, name+"|*__"+name)
		done := len(d.Calls)
		switch {
		case !ok:
			return dialog.Say(fmt.Sprintf("No offered tool is called %s.", name))
		case done >= n || d.NoCalls:
			return dialog.Say(fmt.Sprintf("Simulation finished: %d of %d calls of %s, %d failed.", done, n, tool.Name, failures(d)))
		}
		last := done + 1
		if how == "parallel" {
			last = n
		}
		var calls []dialog.Call
		for step := done + 1; step <= last; step++ {
			calls = append(calls, dialog.Call{
				Name:      tool.Name,
				Arguments: strings.ReplaceAll(arguments, "{{step}}", strconv.Itoa(step)),
			})
		}
		return d.Ask(calls...)
	}, nil
}

func failures(d dialog.Dialog) int {
	n := 0
	for _, call := range d.Calls {
		if call.Result().Failed {
			n++
		}
	}
	return n
}
