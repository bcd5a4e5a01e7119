package postgres

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"steward/internal/fault"
)

// BinVariable names the environment variable that says where initdb and postgres are, when Config.Bin does not.
const BinVariable = "STEWARD_POSTGRES_BIN"

// CodeMissing is the code of the fault of Start when the machine has no PostgreSQL to run.
const CodeMissing = "postgres_missing"

// oldest is the first major version whose features the product relies on.
const oldest = 14

// candidate is a folder with a usable initdb and postgres.
type candidate struct {
	dir   string
	major int
}

// find picks the folder of binaries: of the major version that made the cluster, or for a new one (made is
// empty) the newest. A folder that was set is the only one considered.
func find(ctx context.Context, setting, made string, a *account) (string, error) {
	if setting == "" {
		setting = os.Getenv(BinVariable)
	}
	dirs := []string{setting}
	if setting == "" {
		dirs = usualFolders(ctx)
	}
	var found []candidate
	for _, dir := range dirs {
		if major := majorOf(ctx, dir); major >= oldest && a.canEnter(dir) {
			found = append(found, candidate{dir, major})
		}
	}
	return choose(found, made)
}

func choose(found []candidate, made string) (string, error) {
	slices.SortStableFunc(found, func(x, y candidate) int { return cmp.Compare(y.major, x.major) })
	if made != "" {
		i := slices.IndexFunc(found, func(c candidate) bool { return strconv.Itoa(c.major) == made })
		if i < 0 {
			return "", fault.New(fault.Conflict,
				"the data folder was made by PostgreSQL %s, which is not installed: install it, or choose another data folder", made).
				WithCode("postgres_version")
		}
		return found[i].dir, nil
	}
	if len(found) == 0 {
		return "", fault.New(fault.Unavailable, "no PostgreSQL %d or newer found; %s", oldest, advice(runtime.GOOS)).WithCode(CodeMissing)
	}
	return found[0].dir, nil
}

// advice is what a person may type where nothing could be installed for them.
func advice(goos string) string {
	if goos == "darwin" {
		return "type: brew install postgresql@18"
	}
	return "install it (Debian, Ubuntu: sudo apt-get install postgresql; Fedora: sudo dnf install postgresql-server), " +
		"or install npm, or set " + BinVariable + " to the folder of initdb and postgres"
}

// usualFolders lists where PostgreSQL is found, the best guess first.
func usualFolders(ctx context.Context) []string {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		// It finds its libraries and share files from where it really is, and initdb beside it.
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",          // Debian, Ubuntu
		"/usr/pgsql-*/bin",                   // Red Hat, from PostgreSQL's own packages
		"/usr/libexec/postgresql*",           // Alpine
		"/opt/homebrew/opt/postgresql@*/bin", // Homebrew
		"/usr/local/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
		filepath.Join(cacheDir(), "*", "bin"), // Install
	} {
		matches, err := filepath.Glob(pattern)
		if err == nil { // only a pattern of ours can be wrong
			dirs = append(dirs, matches...)
		}
	}
	return dirs
}

var versionLine = regexp.MustCompile(`^postgres \(PostgreSQL\) ([0-9]{1,3})`)

// majorOf asks the postgres of dir for its version; 0 when there is no initdb and postgres that run.
func majorOf(ctx context.Context, dir string) int {
	info, err := os.Stat(filepath.Join(dir, "initdb"))
	if err != nil || info.Mode()&0o111 == 0 {
		return 0
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output() //nolint:gosec // G204: the program that is looked for
	if err != nil {
		return 0
	}
	match := versionLine.FindSubmatch(out)
	if match == nil {
		return 0
	}
	major, err := strconv.Atoi(string(match[1]))
	if err != nil {
		return 0
	}
	return major
}
