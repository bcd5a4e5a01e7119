package dev

import (
	"steward/internal/config"
)

// Lookup reads the environment through next and answers for what it leaves out with the settings of the
// stack that runs on its data folder, so that `steward token` and its like need no settings beside a
// running `steward dev`.
func Lookup(next func(string) (string, bool)) func(string) (string, bool) {
	state, running := ReadState(dataFolder(next))
	if !running {
		return next
	}
	data := dataFolder(next)
	found := map[string]string{
		"STEWARD_PUBLIC_URL":                state.API.Address,
		"STEWARD_TEMPORAL_UI_URL":           state.UI.Address,
		"TEMPORAL_ADDRESS":                  state.Temporal.Address,
		"DATABASE_URL_FILE":                 runFile(data, databaseName),
		"STEWARD_MIGRATE_DATABASE_URL_FILE": runFile(data, migrationsName),
	}
	for _, name := range []string{"DATABASE_URL", "STEWARD_MIGRATE_DATABASE_URL"} {
		if value, _ := next(name); value != "" {
			delete(found, name+"_FILE")
		}
	}
	return func(name string) (string, bool) {
		if value, ok := next(name); ok && value != "" {
			return value, true
		}
		value := found[name]
		return value, value != ""
	}
}

func dataFolder(lookup func(string) (string, bool)) string {
	for _, row := range config.Table() {
		if row.Name != "STEWARD_DATA" {
			continue
		}
		if value, _ := lookup(row.Name); value != "" {
			return value
		}
		return row.Default
	}
	return "."
}
