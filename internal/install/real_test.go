package install_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/index"
	"steward/internal/install"
	"steward/internal/mcpclient"
)

// Servers as their authors publish them, through the package managers as they are set up on this machine.
func TestPublishedServers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		request install.Request
		tool    string
		args    string
		says    string
	}{
		{install.Request{Name: "@modelcontextprotocol/server-memory", Version: "2026.8.31", ServerName: "memory", Enabled: true}, "read_graph", `{}`, "entities"},
		{
			install.Request{Name: "mcp-server-time", Version: "2026.10.19", ServerName: "time", Runtime: install.Python, PythonModule: "mcp_server_time", Enabled: true},
			"get_current_time", `{"timezone":"Europe/Berlin"}`, "Europe/Berlin",
		},
	} {
		t.Run(tt.request.ServerName, func(t *testing.T) {
			t.Parallel()
			r := newRigWith(t, index.New(t), os.Environ())
			row := r.install(tt.request)
			s, err := r.registry.ByName(t.Context(), "alice", tt.request.ServerName)
			require.NoError(t, err)
			for range 2 { // the second is with files that have been running
				result, err := r.registry.Call(t.Context(), "alice", s, mcpclient.Call{Tool: tt.tool, Arguments: []byte(tt.args)})
				require.NoError(t, err, r.log)
				require.Contains(t, string(result.Content), tt.says)
				r.registry.Drop("alice", s)
			}
			require.NoError(t, r.settle(r.Remove(t.Context(), admin, row)).Err)
			require.Empty(t, r.folders())
		})
	}
}
