package main

import (
	"github.com/temporalio/ui-server/v2/server"
	"github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

// newUI is Temporal's Web UI for this server.
func newUI(o options) *server.Server {
	return server.NewServer(server_options.WithConfigProvider(&config.Config{
		TemporalGRPCAddress: o.listen.String(),
		Host:                o.ui.Addr().String(),
		Port:                int(o.ui.Port()),
		EnableUI:            true,
		DefaultNamespace:    o.namespace,
		HideLogs:            true,
		DisableNewsFetch:    true,                              // nothing here calls out of the machine
		CORS:                config.CORS{CookieInsecure: true}, // loopback has no TLS
		// The codec decodes for signed-in people only, whom it knows by their cookie.
		Codec: config.Codec{Endpoint: o.codecEndpoint, IncludeCredentials: o.codecEndpoint != ""},
	}))
}

// serveUI runs ui in the background. Its Start ends the process by itself, with the reason on standard
// output, when the address is taken.
func serveUI(ui *server.Server) {
	go func() { _ = ui.Start() }()
}
