package config

import (
	"reflect"

	"steward/internal/secret"
)

// Row describes one setting for the README's table and for reading it.
type Row struct {
	Name    string
	Default string
	Secret  bool // also read from NAME_FILE and the keys file
	Doc     string

	field string
}

// Table lists every setting of ours in the order of Config, then the SDK's own of Temporal.
func Table() []Row {
	return append(rows(),
		Row{Name: "TEMPORAL_ADDRESS", Default: "localhost:7233", Doc: "Temporal, and all other TEMPORAL_* of its Go SDK's envconfig"},
		Row{Name: "TEMPORAL_NAMESPACE", Default: "default", Doc: "Temporal namespace"},
	)
}

func rows() []Row { return structRows(reflect.TypeFor[Config]()) }

func structRows(t reflect.Type) []Row {
	var out []Row
	for field := range t.Fields() {
		if !field.IsExported() {
			continue
		}
		if name, ok := field.Tag.Lookup("env"); ok {
			out = append(out, Row{
				Name: name, Default: field.Tag.Get("envDefault"), Doc: field.Tag.Get("doc"),
				Secret: field.Type == reflect.TypeFor[secret.String](), field: field.Name,
			})
		} else {
			out = append(out, structRows(field.Type)...)
		}
	}
	return out
}
