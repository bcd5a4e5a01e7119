// Package postgres runs a private PostgreSQL: found on the machine or installed, made on first use, bound to
// a loopback port behind a random password, supervised, and gone when its owner is gone. `steward dev` and
// the tests keep everything in one.
package postgres

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"steward/dev/stack/lock"
	"steward/dev/stack/process"
	"steward/internal/secret"
)

// admin is the superuser of the cluster. Only this package connects as it.
const admin = "steward_admin"

// recoveryLimit bounds one start: after a crash PostgreSQL replays its log before it answers.
const recoveryLimit = 2 * time.Minute

// Config says where a cluster lives and how it runs. Dir and Log are required.
type Config struct {
	Dir      string            // all of the cluster: data, password, lock; made when it is missing
	Bin      string            // folder of initdb and postgres; empty looks for one (see BinVariable)
	Port     int               // 0 takes a free one
	Settings map[string]string // of postgresql.conf, over this package's defaults
	LogFile  string            // empty is postgres.log in Dir
	Log      *slog.Logger
}

// defaults are the settings of every cluster unless Config.Settings says otherwise.
func defaults() map[string]string {
	return map[string]string{"max_connections": "200", "shared_buffers": "128MB"}
}

// Server is a running PostgreSQL. It keeps its port when it is restarted after a crash, so that pools of its
// clients recover by themselves.
type Server struct {
	*process.Process
	port     int
	password secret.String // of admin
	lock     *lock.Lock
}

// Start makes the cluster when Dir holds none and returns once it answers. ctx bounds the start alone. Without
// binaries the fault's code is CodeMissing, and Install may help. A cluster made by another major version is
// left as it is and refused.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Dir == "" || cfg.Log == nil {
		return nil, errors.New("postgres: Dir and Log are required")
	}
	c, err := openCluster(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{password: c.password, lock: c.lock}
	for attempt := 1; ; attempt++ {
		if err = s.launch(ctx, cfg, c); err == nil {
			return s, nil
		}
		// The free port may have been taken meanwhile, or backends of a server killed a moment ago still
		// hold its memory.
		if attempt == 3 || ctx.Err() != nil {
			return nil, errors.Join(err, c.lock.Release())
		}
	}
}

func (s *Server) launch(ctx context.Context, cfg Config, c *cluster) (err error) {
	if s.port = cfg.Port; s.port == 0 {
		if s.port, err = process.FreePort(ctx, 0); err != nil {
			return err
		}
	}
	settings := defaults()
	settings["listen_addresses"], settings["port"] = "127.0.0.1", strconv.Itoa(s.port)
	settings["unix_socket_directories"] = "" // a socket's path may have 107 bytes only
	for name, value := range cfg.Settings {
		settings[name] = value
	}
	args := []string{"-D", c.data}
	for name, value := range settings {
		args = append(args, "-c", name+"="+value)
	}
	run := c.process("postgres", args...)
	run.Ready = s.answers
	run.StartTimeout = recoveryLimit
	run.StopSignal = syscall.SIGINT  // fast shutdown: ends sessions, writes a checkpoint
	run.KillSignal = syscall.SIGQUIT // immediate shutdown: recovery at the next start
	run.DeathSignal = syscall.SIGINT
	s.Process, err = process.Start(ctx, run)
	return err
}

// answers is the only proof of readiness: after a crash the old pid file still says "ready".
func (s *Server) answers(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.AdminURL("postgres").Reveal())
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// Stop ends all sessions and the server, after 10 s by force, and lets go of the folder.
func (s *Server) Stop(ctx context.Context) error {
	return errors.Join(s.Process.Stop(ctx), s.lock.Release())
}

// URL is where user finds database.
func (s *Server) URL(database, user string, password secret.String) secret.String {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password.Reveal()),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return secret.New(u.String())
}

// AdminURL is where the superuser finds database: for the supervisor and for tests, not for the product.
func (s *Server) AdminURL(database string) secret.String { return s.URL(database, admin, s.password) }

func logFile(cfg Config) string {
	if cfg.LogFile != "" {
		return cfg.LogFile
	}
	return filepath.Join(cfg.Dir, "postgres.log")
}
