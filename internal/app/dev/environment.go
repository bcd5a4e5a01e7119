package dev

import (
	"os"
	"slices"
	"strings"

	"steward/internal/config"
	"steward/internal/install/command"
)

// passed are the variables of the machine that our processes get besides our own settings.
var passed = []string{
	"PATH", "HOME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
}

// environment is what a process of the stack gets: what the caller has set of our settings, and what
// this stack says, which wins. Secrets travel here and never among arguments, which everybody can read.
func environment(says map[string]string) []string {
	names := slices.Clone(passed)
	for _, row := range config.Table() {
		names = append(names, row.Name)
		if row.Secret {
			names = append(names, row.Name+"_FILE")
		}
	}
	if says["TEMPORAL_ADDRESS"] == "" { // the caller's own Temporal, with the caller's credentials for it
		for _, pair := range os.Environ() {
			if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "TEMPORAL_") {
				names = append(names, name)
			}
		}
	}
	env := []string{}
	for _, name := range names {
		if _, said := says[strings.TrimSuffix(name, "_FILE")]; said {
			continue
		}
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	env = append(env, command.Environment(os.Environ(), nil, "NPM_CONFIG_", "NPM_TOKEN", "PIP_")...) // of package managers
	for name, value := range says {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return slices.Compact(env)
}
