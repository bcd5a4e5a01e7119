package dialog_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/dev/offline/dialog"
)

func TestPickPrefersThePlainTool(t *testing.T) {
	t.Parallel()
	tools := []dialog.Tool{{Name: "mcp_a__Get_Email_labels"}, {Name: "mcp_a__get_email"}, {Name: "mcp_b__get_email"}}
	got, ok := dialog.Pick(tools, "*get*email*")
	require.True(t, ok)
	require.Equal(t, "mcp_a__get_email", got.Name)
	require.Equal(t, "get_email", got.Short())
	got, ok = dialog.Pick(tools, "*read*|*labels")
	require.True(t, ok)
	require.Equal(t, "mcp_a__Get_Email_labels", got.Name)
	_, ok = dialog.Pick(tools, "*send*|[")
	require.False(t, ok)
}

func TestSchemaIsReadLeniently(t *testing.T) {
	t.Parallel()
	got := dialog.Tool{Parameters: json.RawMessage(`{"type":["object","null"],"required":["a"],"properties":{
		"a":{"anyOf":[{"type":"null"},{"type":"integer"}],"default":3},"b":true,"c":{"type":"array","items":{"type":"string"}}}}`)}.Schema()
	require.Empty(t, cmp.Diff(&dialog.Schema{
		Type: "object", Required: []string{"a"},
		Properties: map[string]*dialog.Schema{
			"a": {Type: "integer", Default: 3.0},
			"b": {},
			"c": {Type: "array", Items: &dialog.Schema{Type: "string"}},
		},
	}, got))
	require.Equal(t, []string{"b", "c"}, got.Optional())
	require.Equal(t, &dialog.Schema{}, dialog.Tool{Parameters: json.RawMessage(`[1]`)}.Schema().Property("x"))
}
