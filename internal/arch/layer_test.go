package arch

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// layer is a height in the house. A package imports what lies lower, and its neighbours of the same height
// where the language's own ban on cycles is rule enough.
type layer int

const (
	words    layer = iota // what everybody speaks of
	ground                // what services stand on
	services              // what changes something
	edges                 // what calls in from outside: HTTP, Temporal
	house                 // internal/app, which wires all
	commands
)

// heights places every folder. What is in internal and not named here is a service.
var heights = map[string]layer{
	"internal/automation": words, "internal/fault": words, "schema": words,
	"internal/store": ground, "internal/secret": ground, "internal/audit": ground, "internal/egress": ground,
	"internal/durable": ground, "internal/config": ground, "internal/telemetry": ground,
	"api": edges, "workflows": edges, "activities": edges,
	"internal/app": house,
	"cmd":          commands,
}

// heightOf finds the nearest placed folder above dir.
func heightOf(dir string) (layer, bool) {
	for at := dir; at != "."; at = path.Dir(at) {
		if height, ok := heights[at]; ok {
			return height, true
		}
	}
	return services, within(dir, "internal")
}

func within(dir, folder string) bool { return dir == folder || strings.HasPrefix(dir, folder+"/") }

// developers are the parts of the product that are for a developer's machine: `steward dev` starts the
// development stack, `steward doctor` looks whether it could, `steward sandbox` is its servers.
var developers = []string{"internal/app/dev", "internal/app/doctor", "cmd/steward"}

// support says that a package helps tests: it is named like storetest, after what it helps to test.
func support(dir string) bool {
	return path.Base(dir) != "test" && strings.HasSuffix(path.Base(dir), "test")
}

// complaint says what is wrong with one import, or nothing.
func complaint(file source, imported string) string {
	target, ours := strings.CutPrefix(imported, module)
	if !ours || file.test || support(file.dir) || within(file.dir, "dev") {
		return ""
	}
	from, placed := heightOf(file.dir)
	to, known := heightOf(target)
	switch {
	case !placed:
		return "has no place in the house: give its folder a height"
	case within(target, "dev"):
		if slices.ContainsFunc(developers, func(folder string) bool { return within(file.dir, folder) }) {
			return ""
		}
		return "the product does not import dev"
	case support(target):
		return "only tests import what supports them"
	case !known:
		return "the imported folder has no height"
	case to > from:
		return "arrows run down"
	case within(file.dir, "workflows"):
		if target == "activities" || target == "internal/automation" || within(target, "workflows") {
			return ""
		}
		return "workflows import automation and activities alone"
	case from == edges && to == edges && strings.Split(file.dir, "/")[0] != strings.Split(target, "/")[0]:
		return "the edges do not import one another"
	}
	return ""
}

func TestArrowsRunOneWay(t *testing.T) {
	t.Parallel()
	var wrong []string
	for _, file := range tree(t) {
		for _, imported := range file.imports {
			if why := complaint(file, imported); why != "" {
				wrong = append(wrong, fmt.Sprintf("%s imports %s: %s", file.path(), imported, why))
			}
		}
	}
	require.Empty(t, wrong, strings.Join(wrong, "\n"))
}

func TestPlacedFoldersExist(t *testing.T) {
	t.Parallel()
	files := tree(t)
	for folder := range heights {
		require.True(t, slices.ContainsFunc(files, func(f source) bool { return within(f.dir, folder) }), "%s is gone", folder)
	}
}

func TestComplaints(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ file, imports, want string }{
		{"internal/run/start.go", "steward/internal/store", ""},
		{"internal/run/start.go", "steward/internal/tool", ""},
		{"internal/run/start.go", "net/http", ""},
		{"internal/run/start.go", "steward/workflows", "arrows run down"},
		{"internal/store/store.go", "steward/internal/run", "arrows run down"},
		{"internal/automation/state.go", "steward/internal/secret", "arrows run down"},
		{"internal/connector/gmail/send.go", "steward/internal/app", "arrows run down"},
		{"workflows/automation_run.go", "steward/activities", ""},
		{"workflows/automation_run.go", "steward/internal/automation", ""},
		{"workflows/automation_run.go", "steward/internal/fault", "workflows import automation and activities alone"},
		{"workflows/automation_run.go", "steward/internal/store", "workflows import automation and activities alone"},
		{"workflows/automation_run_test.go", "steward/internal/store", ""},
		{"api/runs.go", "steward/activities", "the edges do not import one another"},
		{"api/mcp/list.go", "steward/workflows", "the edges do not import one another"},
		{"api/api.go", "steward/api/mcp", ""},
		{"activities/model.go", "steward/api", "the edges do not import one another"},
		{"internal/app/app.go", "steward/api", ""},
		{"internal/app/app.go", "steward/dev/stack", "the product does not import dev"},
		{"internal/app/app_test.go", "steward/dev/stack", ""},
		{"internal/app/dev/dev.go", "steward/dev/stack", ""},
		{"cmd/steward/sandbox.go", "steward/dev/sandbox", ""},
		{"internal/store/store.go", "steward/internal/storetest", "only tests import what supports them"},
		{"internal/storetest/storetest.go", "steward/dev/stack/postgres", ""},
		{"dev/verify/main.go", "steward/api", ""},
		{"plugin/plugin.go", "steward/api", "has no place in the house: give its folder a height"},
	} {
		file := source{dir: path.Dir(tt.file), name: path.Base(tt.file), test: strings.HasSuffix(tt.file, "_test.go")}
		require.Equal(t, tt.want, complaint(file, tt.imports), "%s imports %s", tt.file, tt.imports)
	}
}
