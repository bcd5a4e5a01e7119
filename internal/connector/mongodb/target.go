package mongodb

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"steward/internal/connector"
	"steward/internal/connector/database"
	"steward/internal/fault"
	"steward/internal/secret"
)

const (
	usualPort = "27017"
	mostHosts = 7 // voting members of the largest replica set
)

// databaseName is what MongoDB allows in a name on every system. https://www.mongodb.com/docs/manual/reference/limits/
const databaseName = `^[A-Za-z0-9_\-]{1,63}$`

var isDatabaseName = regexp.MustCompile(databaseName)

// servers' own databases hold accounts, settings and the log of operations.
var ownDatabases = []string{"admin", "config", "local"}

// target is what a connection string says, as far as we let it: the driver never sees the string itself, in which
// options read files of this machine, ask other hosts for tokens or dial through proxies.
type target struct {
	hosts      []string // with ports
	database   string
	username   string
	password   secret.String
	mechanism  string // empty: negotiated
	authSource string
	replicaSet string
	direct     bool
	encrypted  bool // by tls=true, beside what the form says
	preference *readpref.ReadPref
}

// heeded are the options that mean something here; the ignored ones tune what we tune ourselves.
var (
	heeded  = []string{"authsource", "authmechanism", "tls", "ssl", "replicaset", "directconnection", "readpreference"}
	ignored = []string{
		"appname", "retrywrites", "retryreads", "w", "journal", "maxpoolsize", "minpoolsize", "maxidletimems", "connecttimeoutms",
		"sockettimeoutms", "serverselectiontimeoutms", "timeoutms", "heartbeatfrequencyms", "waitqueuetimeoutms", "compressors",
	}
	mechanisms = []string{"", "SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN"}
)

// targetOf reads the form. Its error is a fault that never shows the string: a typing error may stand in its password.
func targetOf(s connector.Settings) (target, error) {
	text := strings.TrimSpace(s.Text(field))
	if strings.HasPrefix(strings.ToLower(text), "mongodb+srv:") { // reading it would already ask the name servers
		return target{}, wrong(field, "begins with mongodb+srv://, whose hosts only a look-up tells: take the standard form mongodb://host1:27017,host2:27017/")
	}
	c, err := connstring.ParseAndValidate(text)
	if err != nil { // its text quotes the string
		return target{}, wrong(field, "is not a connection string of the form mongodb://user:password@host:27017/database")
	}
	t := target{
		username: c.Username, password: secret.New(c.Password), mechanism: strings.ToUpper(c.AuthMechanism), authSource: c.AuthSource,
		replicaSet: c.ReplicaSet, direct: c.DirectConnection, encrypted: c.SSL,
	}
	if t.hosts, err = hostsOf(c.Hosts); err != nil {
		return t, err
	}
	for option := range c.Options {
		if !slices.Contains(heeded, option) && !slices.Contains(ignored, option) {
			return t, wrong(field, "has an option that is not taken here: leave all but authSource, authMechanism, tls, replicaSet, directConnection and readPreference")
		}
	}
	switch {
	case t.username == "" || c.Password == "":
		return t, wrong(field, "names no user and password: a server that asks for none lets everybody do everything")
	case !slices.Contains(mechanisms, t.mechanism):
		return t, wrong(field, "has an authMechanism other than SCRAM-SHA-256, SCRAM-SHA-1 and PLAIN")
	case c.SSLSet && !c.SSL && s.Ticked(database.SSL):
		return t, wrong(field, "says tls=false, and SSL is required")
	}
	if t.preference, err = preferenceOf(c.ReadPreference); err != nil {
		return t, wrong(field, "has a readPreference that does not exist")
	}
	t.database, err = databaseOf(s.Text(database.Name), c.Database)
	return t, err
}

func hostsOf(hosts []string) ([]string, error) {
	if len(hosts) > mostHosts {
		return nil, wrong(field, "names more than %d hosts", mostHosts)
	}
	out := make([]string, 0, len(hosts))
	for _, host := range hosts {
		name, port, err := net.SplitHostPort(host)
		if err != nil { // the parser has refused all but a missing port
			name = strings.Trim(host, "[]")
		}
		if port == "" {
			port = usualPort
		}
		if err := database.CheckHost(field, name); err != nil {
			return nil, err
		}
		if strings.HasSuffix(name, ".sock") { // a path to the driver
			return nil, wrong(field, "names a host that is none")
		}
		out = append(out, net.JoinHostPort(name, port))
	}
	return out, nil
}

func preferenceOf(name string) (*readpref.ReadPref, error) {
	if name == "" {
		return readpref.Primary(), nil
	}
	mode, err := readpref.ModeFromString(name)
	if err != nil {
		return nil, fmt.Errorf("read preference: %w", err)
	}
	return readpref.New(mode)
}

// databaseOf takes the one of the form; it may stand in the string alone.
func databaseOf(own, inString string) (string, error) {
	where, name := database.Name, own
	if name == "" {
		where, name = field, inString
	}
	switch {
	case name == "":
		return "", wrong(database.Name, "is missing: name it here, or in the connection string after the hosts")
	case !isDatabaseName.MatchString(name):
		return "", wrong(where, "holds a name that no database has")
	case slices.Contains(ownDatabases, strings.ToLower(name)):
		return "", wrong(where, "names a database of the server itself")
	}
	return name, nil
}

func wrong(where, format string, args ...any) error {
	return fault.InvalidField("body."+where, format, args...)
}

// place is hosts/database, for lists.
func place(s connector.Settings) (string, error) {
	if _, err := database.Place(s); err != nil { // the answers about SSL contradict one another
		return "", err
	}
	t, err := targetOf(s)
	if err != nil {
		return "", err
	}
	return strings.Join(t.hosts, ",") + "/" + t.database, nil
}
