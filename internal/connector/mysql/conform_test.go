package mysql_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector/connectortest"
	"steward/internal/connector/mysql"
	"steward/internal/fault"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	connectortest.Conform(t, mysql.New())
}

func TestFormConforms(t *testing.T) {
	t.Parallel()
	connectortest.ConformForm(t, mysql.New(), map[string]any{
		"host": "analytics.db.example.com", "port": 3307, "database": "campaigns", "username": "db_user", "password": "secret123",
		"ssl": true, "ssl_mode": "verify-full", "allow_writes": true,
	}, "analytics.db.example.com:3307")
}

// The fields of seed 002 come first, in its order.
func TestFormIsAsInTheSeed(t *testing.T) {
	t.Parallel()
	var names []string
	for _, f := range mysql.New().Form.Fields {
		names = append(names, f.Name)
	}
	require.Equal(t, []string{"host", "port", "database", "username", "password", "ssl", "ssl_mode", "ssl_ca", "allow_writes"}, names)
	require.Equal(t, 3306, mysql.New().Form.Fields[1].Default)
}

func TestPlace(t *testing.T) {
	t.Parallel()
	form := mysql.New().Form
	for name, place := range map[string]string{"campaigns": "db.example.com:3306/campaigns", "MySQL": ""} {
		settings, err := form.Read(map[string]any{"host": "db.example.com", "database": name, "username": "u", "password": "p"})
		require.NoError(t, err)
		got, err := form.Place(settings)
		require.Equal(t, place, got)
		require.Equal(t, place == "", fault.Is(err, fault.Invalid))
	}
}
