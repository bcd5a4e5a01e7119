// Package ferretdb starts FerretDB, a server that speaks MongoDB's protocol and keeps its data in SQLite. It asks for
// passwords, knows no roles and no transactions, and two updates of one document at the same moment may lose one of them.
// It is for tests: a server ends with the process that started it.
package ferretdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/stack/process"
	"steward/internal/secret"
)

// Username is of the only account. FerretDB gives it every database, and looks it up in the one named like it.
const Username = "app"

// Server is a running one.
type Server struct {
	Address  string // host and port
	Password secret.String

	child *process.Process
	dir   string
}

// Launch starts a server with a password of its own and data that Stop removes, for all tests of one process: TestMain
// calls both. When the process is killed the server dies with it.
func Launch(ctx context.Context) (*Server, error) {
	binary, err := program(ctx)
	if err != nil {
		return nil, err
	}
	port, err := process.FreePort(ctx, 0)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "steward-ferretdb-")
	if err != nil {
		return nil, fmt.Errorf("start FerretDB: %w", err)
	}
	s := &Server{
		Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Password: secret.New("pw-of-the-ferret"), dir: dir,
	}
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return nil, errors.Join(fmt.Errorf("start FerretDB: %w", err), os.RemoveAll(dir))
	}
	s.child, err = process.Start(ctx, process.Config{
		Name: "FerretDB", Path: binary, Log: slog.New(slog.DiscardHandler), LogFile: filepath.Join(dir, "log"),
		Env: append(process.Inherit("PATH"),
			"FERRETDB_HANDLER=sqlite", "FERRETDB_SQLITE_URL=file:"+data+"/", "FERRETDB_STATE_DIR="+dir, "FERRETDB_LISTEN_ADDR="+s.Address,
			"FERRETDB_DEBUG_ADDR=-", "FERRETDB_TELEMETRY=disable", "FERRETDB_TEST_ENABLE_NEW_AUTH=true", "FERRETDB_LOG_LEVEL=error",
			"FERRETDB_SETUP_DATABASE="+Username, "FERRETDB_SETUP_USERNAME="+Username, "FERRETDB_SETUP_PASSWORD="+s.Password.Reveal()),
		Ready: func(ctx context.Context) error {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Address)
			if err != nil {
				return err
			}
			return conn.Close()
		},
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// Start is Launch for one test.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := Launch(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.WithoutCancel(t.Context()))) })
	return s
}

// Stop ends the server and removes its data.
func (s *Server) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return errors.Join(s.child.Stop(ctx), os.RemoveAll(s.dir))
}

// URI is the connection string for a database, which there need not be yet.
func (s *Server) URI(database string) string {
	return fmt.Sprintf("mongodb://%s:%s@%s/%s?authSource=%s", Username, s.Password.Reveal(), s.Address, database, Username)
}

// program is the binary that dev/deps has built.
func program(ctx context.Context) (string, error) {
	module, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	binary := filepath.Join(filepath.Dir(strings.TrimSpace(string(module))), "bin", "ferretdb")
	if _, err := os.Stat(binary); err != nil {
		return "", fmt.Errorf("run make deps: %w", err)
	}
	return binary, nil
}
