package connectortest

import (
	"context"
	"encoding/json"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/egress"
)

// An id as it is given to connections: what a tool's name ends in.
const sampleID = "_db_0123456789abcdef"

// members of the requests that carry a form: a field of the same name could not be told from them.
var taken = []string{"connection_name", "name", "db_type", "user_id", "db_id"}

// namedByConnection checks what becomes the tool of one connection.
func namedByConnection(t *testing.T, k *connector.Connector, tool connector.Tool) {
	require.True(t, strings.HasPrefix(tool.Name, "DB_"), "DB_QUERY and so on, as in seed 002")
	require.False(t, strings.HasPrefix(tool.Name, "DB_"+strings.ToUpper(k.Name)), "the connection's name says what it is")
	require.LessOrEqual(t, len(tool.Name+sampleID), longestName)
	require.Contains(t, tool.Title, "{name}", "a user may have several of a kind")
	require.Contains(t, tool.Description, "{name}")
	require.Empty(t, tool.Scopes)
	if tool.Class == automation.Effect {
		require.NotEmpty(t, tool.Needs, "changes are there for those who have ticked a box")
	}
	if tool.Needs != "" {
		i := slices.IndexFunc(k.Form.Fields, func(f connector.Field) bool { return f.Name == tool.Needs })
		require.GreaterOrEqual(t, i, 0, "there is no field %s", tool.Needs)
		require.Equal(t, connector.Checkbox, k.Form.Fields[i].Kind)
		require.NotEqual(t, true, k.Form.Fields[i].Default, "a box that opens tools is not ticked by itself")
	}
}

func form(t *testing.T, k *connector.Connector) {
	require.NotNil(t, k.Form.Place)
	require.NotNil(t, k.Form.Open)
	require.NotEmpty(t, k.Form.Fields)
	require.False(t, k.Form.Fields[0].Kind == connector.Checkbox || k.Form.Fields[0].Kind == connector.Password, "the first says where the system is")
	seen := map[string]bool{}
	for _, f := range k.Form.Fields {
		t.Run(f.Name, func(t *testing.T) {
			require.Regexp(t, argumentName, f.Name)
			require.NotContains(t, taken, f.Name)
			require.False(t, seen[f.Name], "listed twice")
			seen[f.Name] = true
			field(t, f)
		})
	}
}

func field(t *testing.T, f connector.Field) {
	require.NotEmpty(t, f.Label)
	require.Contains(t, []connector.FieldKind{
		connector.Line, connector.Text, connector.Number, connector.Password, connector.Checkbox, connector.Select,
	}, f.Kind)
	require.Equal(t, f.Kind == connector.Select, len(f.Options) > 0)
	require.Equal(t, f.Kind == connector.Number, f.Most > f.Least)
	require.Equal(t, f.Pattern == "", f.Wrong == "", "what does not fit is explained")
	_, err := regexp.Compile(f.Pattern)
	require.NoError(t, err)
	require.False(t, f.Required && f.Default != nil, "what has a default need not be filled in")
	alone := connector.Form{Fields: []connector.Field{f}}
	_, err = alone.Read(map[string]any{})
	require.Equal(t, f.Required, err != nil, "the default fits the field")
}

// ConformForm checks what can be said of a form without its system: filled is how somebody may fill it in who ticks
// every box that opens tools, and address is where that leads.
func ConformForm(t *testing.T, k *connector.Connector, filled map[string]any, address string) {
	t.Helper()
	_, err := k.Form.Read(map[string]any{})
	require.Error(t, err, "something is required")
	settings, err := k.Form.Read(filled)
	require.NoError(t, err)
	place, err := k.Form.Place(settings)
	require.NoError(t, err)
	for _, f := range k.Form.Fields {
		if hidden, ok := filled[f.Name].(string); ok && (f.Secret || f.Kind == connector.Password) {
			require.NotContains(t, place, hidden, "the place is shown in lists")
		}
	}
	dialled := &refusing{}
	link, err := k.Form.Open(settings, dialled.Dial)
	require.NoError(t, err)
	require.Empty(t, dialled.all(), "opening waits with dialling")
	err = link.Test(t.Context())
	require.NotEmpty(t, dialled.all())
	refused(t, err, filled)
	for _, tool := range k.Tools {
		found, err := tool.Call(t.Context(), &connector.Session{Link: link}, connector.Call{
			ID: "call_x", Arguments: json.RawMessage(`{}`), Note: func(context.Context, string) error { return nil },
		})
		if err != nil { // what has no argument that is required dials, too
			require.Empty(t, found.Structured)
			refused(t, err, filled)
		}
	}
	link.Close()
	for _, to := range dialled.all() {
		require.Equal(t, "tcp "+address, to, "nothing is dialled but the address, and it is not resolved before")
	}
	require.Error(t, link.Test(t.Context()), "it is closed")
}

// refused is what a call is when nothing could be dialled.
func refused(t *testing.T, err error, filled map[string]any) {
	e := &connector.Error{}
	require.ErrorAs(t, err, &e)
	require.False(t, e.Ran, "nothing was sent")
	require.NotEmpty(t, e.Reason)
	for name, value := range filled {
		if text, ok := value.(string); ok && len(text) > 3 {
			require.NotContains(t, e.Reason, text, "%s is not for everybody who reads it", name)
		}
	}
}

// refusing dials nothing, and remembers what it was asked for.
type refusing struct {
	mu    sync.Mutex
	asked []string
}

func (r *refusing) Dial(_ context.Context, network, address string) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, network+" "+address)
	return nil, egress.ErrDenied
}

func (r *refusing) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.asked)
}
