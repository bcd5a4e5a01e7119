// Package connectortest is what every connector must pass: a test of one line in its folder.
package connectortest

import (
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/connector"
)

var update = flag.Bool("update", false, "write testdata/definitions.json")

var (
	connectorName = regexp.MustCompile(`^[a-z][a-z0-9]*$`)
	toolName      = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$`)
	argumentName  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// Model providers take no longer names of functions.
const longestName = 64

// What a model reads with every request is paid for with every request.
const longestDescription = 400

// Conform checks what can be said of a connector without its outside system. Scopes is every scope that its
// provider knows of. The definitions are compared with testdata/definitions.json, since runs pin them: -update
// writes it.
func Conform(t *testing.T, k *connector.Connector, scopes ...string) {
	t.Helper()
	require.Regexp(t, connectorName, k.Name)
	require.NotEmpty(t, k.Title)
	require.NotEmpty(t, k.Description)
	require.NotEmpty(t, k.Tools)
	require.NotEqual(t, k.Provider == "", k.Form == nil, "either a provider or a form")
	if k.Form != nil {
		t.Run("form", func(t *testing.T) { form(t, k) })
	}
	seen := map[string]bool{}
	for _, tool := range k.Tools {
		t.Run(tool.Name, func(t *testing.T) {
			require.False(t, seen[tool.Name], "listed twice")
			seen[tool.Name] = true
			named(t, k, tool)
			classed(t, tool)
			schemas(t, tool)
			granted(t, k, tool, scopes)
			refusesUnknownArguments(t, tool)
		})
	}
	definitions(t, k)
}

func named(t *testing.T, k *connector.Connector, tool connector.Tool) {
	require.Regexp(t, toolName, tool.Name)
	require.NotEmpty(t, tool.Title)
	require.NotEmpty(t, tool.Description)
	if k.Form != nil {
		namedByConnection(t, k, tool)
	} else {
		require.True(t, strings.HasPrefix(tool.Name, strings.ToUpper(k.Name)+"_"), "begins with the connector's name")
		require.LessOrEqual(t, len(tool.Name), longestName)
		require.Empty(t, tool.Needs, "there is no form to tick a box of")
		require.NotContains(t, tool.Title+tool.Description, "{")
	}
	require.LessOrEqual(t, utf8.RuneCountInString(tool.Description), longestDescription)
	require.True(t, strings.HasSuffix(tool.Description, "."), "whole sentences")
	// A description informs the model; one that gives it orders is what attacks look like.
	require.NotRegexp(t, `(?i)\b(always|never|must|important|ignore)\b`, tool.Description)
}

func classed(t *testing.T, tool connector.Tool) {
	require.Contains(t, []automation.Class{automation.Read, automation.Idempotent, automation.Effect}, tool.Class)
	require.NotNil(t, tool.Call)
	if tool.Class == automation.Effect {
		require.NotEqual(t, tool.Probe == nil, tool.NoProbe == "", "an effect has a probe, or a reason why it has none")
		return
	}
	require.Nil(t, tool.Probe, "what may be repeated is not asked about")
	require.Empty(t, tool.NoProbe)
	require.Empty(t, tool.Addressees, "what only reads tells nobody")
}

func schemas(t *testing.T, tool connector.Tool) {
	input := compiled(t, tool.InputSchema)
	require.Equal(t, "object", input.Type)
	// Model providers refuse these at the top of a function's parameters.
	require.Nil(t, input.AnyOf)
	require.Nil(t, input.OneOf)
	require.Nil(t, input.AllOf)
	require.NotNil(t, input.AdditionalProperties, "unknown arguments are refused")
	for name, property := range input.Properties {
		require.Regexp(t, argumentName, name)
		require.NotEmpty(t, property.Description, "%s: what is it?", name)
		require.NotEmpty(t, property.Type, "%s: one type", name)
	}
	for _, name := range tool.Addressees {
		require.Contains(t, input.Properties, name)
	}
	output := compiled(t, tool.OutputSchema)
	require.Equal(t, "object", output.Type)
	if tool.Answer != "" {
		require.Contains(t, output.Required, tool.Answer, "what POST /api/tools/execute answers is always there")
	}
}

func compiled(t *testing.T, doc json.RawMessage) *jsonschema.Schema {
	var schema jsonschema.Schema
	require.NoError(t, json.Unmarshal(doc, &schema))
	_, err := schema.Resolve(nil)
	require.NoError(t, err)
	return &schema
}

func granted(t *testing.T, k *connector.Connector, tool connector.Tool, scopes []string) {
	if k.Provider == "" {
		require.Empty(t, tool.Scopes)
		return
	}
	// A tool that needs none would make a connection of everybody who has only signed in.
	require.NotEmpty(t, tool.Scopes)
	for _, scope := range tool.Scopes {
		require.Contains(t, scopes, scope, "the provider knows no such scope")
	}
}

// refusesUnknownArguments: also where nothing stands before the connector.
func refusesUnknownArguments(t *testing.T, tool connector.Tool) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	session := &connector.Session{HTTP: server.Client(), BaseURL: server.URL, Account: "alice@example.com", Granted: tool.Scopes}
	for _, arguments := range []string{`{"no_such_argument":1}`, `[]`, `"x"`, `{`, ``} {
		_, err := tool.Call(context.WithoutCancel(t.Context()), session, connector.Call{ID: "call_x", Arguments: json.RawMessage(arguments)})
		refusal := &connector.Error{}
		require.ErrorAs(t, err, &refusal, arguments)
		require.True(t, refusal.Answered && !refusal.Ran, arguments)
	}
	require.False(t, asked, "nothing is sent for arguments that are refused")
}

// definition is what a run pins of a tool, and what the policy goes by.
type definition struct {
	Name, Title, Description  string
	Class                     automation.Class
	Untrusted, Private, Probe bool
	Addressees, Scopes        []string
	Needs, Answer             string `json:",omitempty"`
	InputSchema, OutputSchema json.RawMessage
}

func definitions(t *testing.T, k *connector.Connector) {
	var all []definition
	for _, tool := range k.Tools {
		all = append(all, definition{
			tool.Name, tool.Title, tool.Description, tool.Class, tool.Untrusted, tool.Private, tool.Probe != nil,
			tool.Addressees, tool.Scopes, tool.Needs, tool.Answer, tool.InputSchema, tool.OutputSchema,
		})
	}
	got, err := json.MarshalIndent(all, "", "  ")
	require.NoError(t, err)
	path := filepath.Join("testdata", "definitions.json")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(path, append(got, '\n'), 0o600))
	}
	want, err := os.ReadFile(path) //nolint:gosec // G304: testdata
	require.NoError(t, err, "go test -update writes it")
	require.JSONEq(t, string(want), string(got), "runs that are under way have pinned the definitions: change them knowingly, with -update")
}
