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

	"steward/dev/counterpart"
	"steward/dev/stack/lock"
	"steward/dev/stack/process"
)

const (
	folderPrefix = "steward-mariadb-"
	lockName     = "lock"
)

// server is a running MariaDB.
type server struct {
	port        int
	certificate string // in PEM
	root        *sql.DB
	held        *lock.Lock // for as long as the process lives
}

func start(ctx context.Context, log *slog.Logger) (_ *server, err error) {
	removeAbandoned(os.TempDir())
	dir, err := os.MkdirTemp("", folderPrefix)
	if err != nil {
		return nil, fmt.Errorf("start MariaDB: %w", err)
	}
	held, err := lock.Acquire(filepath.Join(dir, lockName))
	if err != nil {
		return nil, fmt.Errorf("start MariaDB: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start MariaDB: %w", err), os.RemoveAll(dir), held.Release())
		}
	}()
	f := folder{dir: dir, log: log}
	if err := f.prepare(); err != nil {
		return nil, err
	}
	if err := f.initialize(ctx); err != nil {
		return nil, err
	}
	s := &server{certificate: f.certificate, held: held}
	s.port, s.root, err = f.serve(ctx)
	return s, err
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

	password    string // root's
	certificate string
	credential  *syscall.Credential // whom it runs as; nil: us
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

// prepare makes what the server reads and where it writes, and gives it to the account that Debian's package makes when
// we are root. The init file takes one statement a line.
func (f *folder) prepare() error {
	f.password = rand.Text()
	err := os.WriteFile(f.path("init"), []byte("CREATE OR REPLACE USER root@127.0.0.1 IDENTIFIED BY '"+f.password+"';\n"+
		"GRANT ALL ON *.* TO root@127.0.0.1 WITH GRANT OPTION;\n"), 0o600)
	if err != nil {
		return err
	}
	certificate, key, err := counterpart.Certify("127.0.0.1")
	if err != nil {
		return err
	}
	f.certificate = string(certificate)
	if err := os.WriteFile(f.path("certificate"), certificate, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(f.path("key"), key, 0o600); err != nil {
		return err
	}
	if err := os.Mkdir(f.path("data"), 0o700); err != nil || os.Getuid() != 0 {
		return err
	}
	account, err := user.Lookup("mysql")
	if err != nil {
		return err
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return err
	}
	for _, name := range []string{"", "data", "init", "certificate", "key"} {
		if err := os.Chown(f.path(name), int(uid), int(gid)); err != nil {
			return err
		}
	}
	f.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return nil
}

// small keeps a server with nothing in it out of the way.
func small() []string {
	return []string{"--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M", "--skip-log-bin"}
}

func (f *folder) initialize(ctx context.Context) error {
	install, err := f.program("mariadb-install-db", append([]string{
		"--no-defaults", "--datadir=" + f.path("data"), "--auth-root-authentication-method=normal", "--skip-test-db",
	}, small()...))
	if err != nil {
		return err
	}
	return process.Run(ctx, install)
}

// serve starts the server. Names of clients are not resolved: without --skip-name-resolve a user made for 127.0.0.1
// would be seen as localhost.
func (f *folder) serve(ctx context.Context) (int, *sql.DB, error) {
	port, err := process.FreePort(ctx, 0)
	if err != nil {
		return 0, nil, err
	}
	root, err := open(port, f.password)
	if err != nil {
		return 0, nil, err
	}
	daemon, err := f.program("mariadbd", append([]string{
		"--no-defaults", "--datadir=" + f.path("data"), "--socket=" + f.path("socket"), "--pid-file=" + f.path("pid"), "--init-file=" + f.path("init"),
		"--port=" + strconv.Itoa(port), "--bind-address=127.0.0.1", "--skip-name-resolve", "--ssl-cert=" + f.path("certificate"), "--ssl-key=" + f.path("key"),
		"--innodb-flush-log-at-trx-commit=0", "--performance-schema=0", "--secure-file-priv=",
	}, small()...))
	if err != nil {
		return 0, nil, err
	}
	daemon.Ready = root.PingContext
	_, err = process.Start(ctx, daemon)
	return port, root, err
}

func (f *folder) program(name string, args []string) (process.Config, error) {
	path, err := exec.LookPath(name)
	return process.Config{
		Name: name, Path: path, Args: args, Dir: f.dir, Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + f.dir},
		Log: f.log, LogFile: f.path("log"), Credential: f.credential,
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
