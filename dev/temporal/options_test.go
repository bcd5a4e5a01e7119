package main

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

const testURL = "postgres://temporal:canary@127.0.0.1:5432/ignored?sslmode=require"

func parse(url string, args ...string) (options, error) {
	return parseOptions(args, func(string) string { return url }, io.Discard)
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	o, err := parse(testURL)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:7233", o.listen.String())
	require.Equal(t, "127.0.0.1:8233", o.ui.String())
	require.Equal(t, "default", o.namespace)
	require.Equal(t, 168*time.Hour, o.retention)

	o, err = parse(testURL, "-ui", "")
	require.NoError(t, err)
	require.False(t, o.ui.IsValid())
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		url  string
		args []string
		want string
	}{
		"every address":   {testURL, []string{"-listen", "0.0.0.0:7233"}, "-listen"},
		"public UI":       {testURL, []string{"-ui", "[::]:8233"}, "-ui"},
		"another machine": {testURL, []string{"-listen", "192.0.2.1:7233"}, "-listen"},
		"a name":          {testURL, []string{"-listen", "localhost:7233"}, "-listen"},
		"no port":         {testURL, []string{"-listen", "127.0.0.1:0"}, "-listen"},
		"short retention": {testURL, []string{"-retention", "1h"}, "-retention"},
		"stray argument":  {testURL, []string{"start"}, "start"},
		"no database":     {"", nil, databaseVariable},
		"no user":         {"postgres://127.0.0.1:5432", nil, databaseVariable},
		"another scheme":  {"mysql://u:canary@127.0.0.1", nil, databaseVariable},
		"not a URL":       {"postgres://u:canary@127.0.0.1:%zz", nil, databaseVariable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(test.url, test.args...)
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), "canary")
		})
	}
}

func TestSQLConfig(t *testing.T) {
	t.Parallel()
	o, err := parse(testURL)
	require.NoError(t, err)
	c := sqlConfig(o, o.visibility)
	require.Equal(t, "127.0.0.1:5432", c.ConnectAddr)
	require.Equal(t, "temporal_visibility", c.DatabaseName)
	require.Equal(t, "temporal", c.User)
	require.Equal(t, "canary", c.Password)
	require.Equal(t, map[string]string{"sslmode": "require"}, c.ConnectAttributes)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{"28P01": true, "28000": true, "3D000": true, "57P03": false, "53300": false} {
		require.Equal(t, want, refused(&pgconn.PgError{Code: code}), code)
	}
	require.False(t, refused(io.EOF))
}

func TestTakeEnvRemoves(t *testing.T) {
	t.Setenv(databaseVariable, testURL)
	require.Equal(t, testURL, takeEnv(databaseVariable))
	_, set := os.LookupEnv(databaseVariable)
	require.False(t, set)
}
