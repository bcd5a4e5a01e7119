package egress_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/egress"
	"steward/internal/egress/egresstest"
)

func TestCheckPublicURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"https://mcp.example.com/mcp", "https://mcp.example.com:8443/", "https://MCP.Example.COM./mcp", "https://8.8.8.8/mcp",
		"https://[2606:4700:4700::1111]/mcp", "https://xn--bcher-kva.ch/mcp",
	} {
		require.NoError(t, egress.CheckPublicURL(good), good)
	}
	for _, bad := range []string{
		"", "http://mcp.example.com/mcp", "mcp.example.com", "ftp://mcp.example.com", "https://", "https:///mcp", "https://\x7f/",
		"https://user@mcp.example.com/", "https://user:word@mcp.example.com/",
		"https://localhost/mcp", "https://LOCALHOST./", "https://a.localhost/", "https://mailbox/mcp", "https://printer.local/",
		"https://metadata.google.internal/", "https://nas.home.arpa/", "https://10.0.0.1.in-addr.arpa/",
		"https://2130706433/", "https://127.1/", "https://0x7f000001/", "https://0x7f.1/", "https://017700000001/", "https://1.2.3.0x4/",
		"https://[fe80::1%25eth0]/", "https://[::ffff:10.0.0.1]:443/",
	} {
		require.Error(t, egress.CheckPublicURL(bad), bad)
	}
	for _, host := range egresstest.Special() {
		require.ErrorIs(t, egress.CheckPublicURL("https://"+host+"/mcp"), egress.ErrDenied, host)
	}
}

func FuzzCheckPublicURL(f *testing.F) {
	f.Add("https://mcp.example.com/mcp")
	f.Add("https://[::ffff:127.0.0.1]/")
	f.Add("https://0x7f.1/")
	f.Fuzz(func(t *testing.T, raw string) {
		if egress.CheckPublicURL(raw) == nil {
			require.Regexp(t, `(?i)^https:`, raw)
			require.Error(t, egress.CheckPublicURL("http"+raw[len("https"):]))
		}
	})
}
