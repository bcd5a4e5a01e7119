package mariadb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/go-sql-driver/mysql"

	"steward/dev/stack/lock"
	"steward/dev/stack/process"
)

const (
	folderPrefix = "steward-mariadb-"
	lockName     = "lock"
)

// Server is a running MariaDB.
type Server struct {
	Port int
	root *sql.DB
	held *lock.Lock // for as long as the process lives
}

func start(ctx context.Context, log *slog.Logger) (*Server, error) {
	removeAbandoned(os.TempDir())
	dir, err := os.MkdirTemp("", folderPrefix)
	if err != nil {
		return nil, fmt.Errorf("start MariaDB: %w", err)
	}
	held, err := lock.Acquire(filepath.Join(dir, lockName))
	if err != nil {
		return nil, fmt.Errorf("start MariaDB: %w", err)
	}
	f := folder{dir, log}
	credential, err := f.own()
	if err == nil {
		err = f.initialize(ctx, credential)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start MariaDB: %w", err), os.RemoveAll(dir), held.Release())
	}
	port, root, err := f.serve(ctx, credential)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start MariaDB: %w", err), os.RemoveAll(dir), held.Release())
	}
	return &Server{port, root, held}, nil
}

// removeAbandoned removes the folders that no living process holds.
func removeAbandoned(parent string) {
	matches, err := filepath.Glob(filepath.Join(parent, folderPrefix+"*"))
	if err != nil {
		return // only a malformed pattern, such as a folder with a bracket in its name
	}
	for _, dir := range matches {
		file := filepath.Join(dir, lockName)
		if _, err := os.Stat(file); err != nil {
			continue // another process is just making it
		}
		if held, err := lock.Acquire(file); err == nil {
			_ = os.RemoveAll(dir) // what cannot be removed, such as another user's, stays
			_ = held.Release()
		}
	}
}

// folder is where one server lives.
type folder struct {
	dir string
	log *slog.Logger
}

func (f folder) data() string { return filepath.Join(f.dir, "data") }

// own makes the data folder, and gives it to the account that Debian's package makes when we are root.
func (f folder) own() (*syscall.Credential, error) {
	if err := os.Mkdir(f.data(), 0o700); err != nil || os.Getuid() != 0 {
		return nil, err
	}
	account, err := user.Lookup("mysql")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{f.dir, f.data()} {
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			return nil, err
		}
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// small keeps a server with nothing in it out of the way.
func small() []string {
	return []string{"--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M", "--skip-log-bin"}
}

func (f folder) initialize(ctx context.Context, credential *syscall.Credential) error {
	args := []string{"--no-defaults", "--datadir=" + f.data(), "--auth-root-authentication-method=normal", "--skip-test-db"}
	install, err := f.program("mariadb-install-db", append(args, small()...), credential)
	if err != nil {
		return err
	}
	return process.Run(ctx, install)
}

// serve starts the server. Names of clients are not resolved: without --skip-name-resolve a user made for 127.0.0.1
// would be seen as localhost. The init file takes one statement a line.
func (f folder) serve(ctx context.Context, credential *syscall.Credential) (int, *sql.DB, error) {
	port, err := process.FreePort(ctx, 0)
	if err != nil {
		return 0, nil, err
	}
	password := rand.Text()
	initFile := filepath.Join(f.dir, "init.sql")
	if err := os.WriteFile(initFile, []byte("CREATE OR REPLACE USER root@127.0.0.1 IDENTIFIED BY '"+password+"';\n"+
		"GRANT ALL ON *.* TO root@127.0.0.1 WITH GRANT OPTION;\n"), 0o600); err != nil {
		return 0, nil, err
	}
	if credential != nil {
		if err := os.Chown(initFile, int(credential.Uid), int(credential.Gid)); err != nil {
			return 0, nil, err
		}
	}
	root, err := open(port, password)
	if err != nil {
		return 0, nil, err
	}
	server, err := f.program("mariadbd", append([]string{
		"--no-defaults", "--datadir=" + f.data(), "--socket=" + filepath.Join(f.dir, "socket"), "--pid-file=" + filepath.Join(f.dir, "pid"),
		"--port=" + strconv.Itoa(port), "--bind-address=127.0.0.1", "--skip-name-resolve", "--init-file=" + initFile,
		"--innodb-flush-log-at-trx-commit=0", "--performance-schema=0", "--secure-file-priv=",
	}, small()...), credential)
	if err != nil {
		return 0, nil, err
	}
	server.Ready = root.PingContext
	_, err = process.Start(ctx, server)
	return port, root, err
}

func (f folder) program(name string, args []string, credential *syscall.Credential) (process.Config, error) {
	path, err := exec.LookPath(name)
	return process.Config{
		Name: name, Path: path, Args: args, Dir: f.dir, Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + f.dir},
		Log: f.log, LogFile: filepath.Join(f.dir, "log"), Credential: credential,
	}, err
}

func open(port int, password string) (*sql.DB, error) {
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr = "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	cfg.User, cfg.Passwd = "root", password
	cfg.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}
