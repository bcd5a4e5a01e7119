package database_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector"
	"steward/internal/connector/database"
	"steward/internal/fault"
)

// form asks everything that this package asks.
func form() connector.Form {
	fields := []connector.Field{database.HostField(), database.PortField(5432), {Name: database.Name, Kind: connector.Line}}
	return connector.Form{Fields: append(append(fields, database.TLSFields()...), database.WritesField())}
}

// filled reads a form in which somebody has written something beside the host.
func filled(t *testing.T, values map[string]any) connector.Settings {
	t.Helper()
	if values["host"] == nil {
		values["host"] = "db.example.com"
	}
	f := form()
	settings, err := f.Read(values)
	require.NoError(t, err)
	return settings
}

func TestHost(t *testing.T) {
	t.Parallel()
	f := form()
	for host, ok := range map[string]bool{
		"db.example.com": true, "my_db": true, "DB-1": true, "127.0.0.1": true, "::1": true, "2001:db8::a": true, "::ffff:10.0.0.1": true, " db ": true,
		"db:5432": false, "a:b": false, "/tmp": false, "a,b": false, "-a": false, "a/b": false, "[::1]": false, "a b": false, "a?b": false, "u@h": false, "a\nb": false, ".": false, "": false,
	} {
		_, err := f.Read(map[string]any{"host": host})
		require.Equal(t, ok, err == nil, host)
		if host != " db " && host != "" {
			require.Equal(t, ok, database.CheckHost("uri", host) == nil, host)
		}
	}
	require.Equal(t, "body.uri", fields(t, database.CheckHost("uri", "a/b"))[0].Location)
}

func TestPlace(t *testing.T) {
	t.Parallel()
	for want, values := range map[string]map[string]any{
		"db.example.com:5432":        {},
		"db.example.com:6543/things": {"port": 6543, "database": "things"},
		"[::1]:5432/a":               {"host": "::1", "database": "a"},
	} {
		got, err := database.Place(filled(t, values))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func fields(t *testing.T, err error) []fault.Field {
	t.Helper()
	f := &fault.Error{}
	require.ErrorAs(t, err, &f)
	require.NotEmpty(t, f.Fields)
	return f.Fields
}
