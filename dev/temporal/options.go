package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"time"
)

// databaseVariable names the environment variable with the postgres:// URL of the cluster. A password has no
// place among the arguments, which every user of the machine may read.
const databaseVariable = "STEWARD_TEMPORAL_DATABASE_URL"

// options is what one process serves.
type options struct {
	cluster       *url.URL // address, user, password and parameters; its path is not used
	database      string
	visibility    string
	listen        netip.AddrPort
	ui            netip.AddrPort // not valid: no Web UI
	codecEndpoint string
	namespace     string
	retention     time.Duration
	lifeline      bool
}

// parseOptions reads the arguments and, through env, the one secret.
func parseOptions(args []string, env func(string) string, usage io.Writer) (options, error) {
	var o options
	var listen, ui string
	flags := flag.NewFlagSet("steward-temporal", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&listen, "listen", "127.0.0.1:7233", "loopback `address` of the gRPC API")
	flags.StringVar(&ui, "ui", "127.0.0.1:8233", "loopback `address` of the Web UI; empty for none")
	flags.StringVar(&o.codecEndpoint, "codec-endpoint", "", "`URL` where the Web UI has payloads decoded; the browser sends its cookies there")
	flags.StringVar(&o.database, "database", "temporal", "existing database `name` for workflow state")
	flags.StringVar(&o.visibility, "visibility", "temporal_visibility", "existing database `name` for the search index")
	flags.StringVar(&o.namespace, "namespace", "default", "namespace to create")
	flags.DurationVar(&o.retention, "retention", 168*time.Hour, "how long a closed workflow is kept")
	flags.BoolVar(&o.lifeline, "lifeline", false, "stop when standard input ends")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	var err error
	if o.listen, err = loopback("-listen", listen); err != nil {
		return options{}, err
	}
	if ui != "" {
		if o.ui, err = loopback("-ui", ui); err != nil {
			return options{}, err
		}
	}
	if o.retention < 24*time.Hour {
		return options{}, errors.New("-retention: Temporal keeps a closed workflow for 24h at least")
	}
	o.cluster, err = clusterURL(env(databaseVariable))
	return o, err
}

// loopback parses an address that only this machine can reach: the server has no authentication.
func loopback(name, address string) (netip.AddrPort, error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%s: %q is not an address such as 127.0.0.1:7233", name, address)
	}
	if !a.Addr().IsLoopback() || a.Port() == 0 {
		return netip.AddrPort{}, fmt.Errorf("%s: %s is not a port of a loopback address", name, address)
	}
	return a, nil
}

// clusterURL parses raw without ever repeating it in an error, since it holds a password.
func clusterURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || u.Host == "" || u.User.Username() == "" {
		return nil, fmt.Errorf("%s must be a URL such as postgres://user:password@127.0.0.1:5432", databaseVariable)
	}
	if q := u.Query(); !q.Has("sslmode") {
		q.Set("sslmode", "disable") // as the server's own plugin would
		u.RawQuery = q.Encode()
	}
	return u, nil
}

// takeEnv reads a variable and removes it, so that no library finds it and no child inherits it.
func takeEnv(name string) string {
	value := os.Getenv(name)
	_ = os.Unsetenv(name) // fails only for a malformed name
	return value
}
