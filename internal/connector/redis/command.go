package redis

import (
	"context"
	"fmt"
	"strings"
)

// command is one that reads.
type command struct {
	least, most int // words after its name; any number of them where most is less than least
	columns     []string
	// answer sends it and adds the rows. It gives the note that says what is not there, empty if all is. Its error is
	// a *wrong for what the command says, else what the reader gave.
	answer func(ctx context.Context, q question) (note string, err error)
}

// question is a command that was asked.
type question struct {
	reader
	name string
	args []string
	rows rows
}

// wrong is a command that is not sent. It tells the model what to do.
type wrong struct{ reason string }

func (w *wrong) Error() string { return w.reason }

// commands are all that a query may be. None of them can write, block, or go through the whole keyspace at once.
// PFCOUNT is missing because it writes a cache, TOUCH and the like because nobody needs them here.
var commands = map[string]command{
	"PING":             {0, 0, value, plain},
	"DBSIZE":           {0, 0, value, plain},
	"EXISTS":           {1, 0, value, plain},
	"GET":              {1, 1, keyValue, get},
	"GETRANGE":         {3, 3, keyValue, getRange},
	"STRLEN":           {1, 1, keyValue, plain},
	"BITCOUNT":         {1, 4, keyValue, plain},
	"TYPE":             {1, 1, keyValue, plain},
	"TTL":              {1, 1, keyValue, plain},
	"PTTL":             {1, 1, keyValue, plain},
	"OBJECT":           {2, 2, []string{"key", "encoding"}, only("ENCODING")},
	"MEMORY":           {2, 2, []string{"key", "bytes"}, only("USAGE")},
	"MGET":             {1, 0, keyValue, pairs(0)},
	"HLEN":             {1, 1, keyValue, plain},
	"HGET":             {2, 2, fieldValue, about},
	"HEXISTS":          {2, 2, fieldValue, about},
	"HMGET":            {2, 0, fieldValue, pairs(1)},
	"HGETALL":          {1, 1, fieldValue, whole("HSCAN", both)},
	"HKEYS":            {1, 1, []string{"field"}, whole("HSCAN", first)},
	"HVALS":            {1, 1, value, whole("HSCAN", second)},
	"LLEN":             {1, 1, keyValue, plain},
	"LINDEX":           {2, 2, []string{"index", "value"}, about},
	"LRANGE":           {3, 3, []string{"index", "value"}, listRange},
	"SCARD":            {1, 1, keyValue, plain},
	"SISMEMBER":        {2, 2, []string{"member", "value"}, about},
	"SMISMEMBER":       {2, 0, []string{"member", "value"}, pairs(1)},
	"SMEMBERS":         {1, 1, []string{"member"}, whole("SSCAN", single)},
	"ZCARD":            {1, 1, keyValue, plain},
	"ZCOUNT":           {3, 3, keyValue, plain},
	"ZSCORE":           {2, 2, memberScore, about},
	"ZMSCORE":          {2, 0, memberScore, pairs(1)},
	"ZRANK":            {2, 2, []string{"member", "rank"}, about},
	"ZREVRANK":         {2, 2, []string{"member", "rank"}, about},
	"ZRANGE":           {3, 8, memberScore, sortedRange},
	"ZREVRANGE":        {3, 4, memberScore, sortedRange},
	"ZRANGEBYSCORE":    {3, 7, memberScore, sortedRange},
	"ZREVRANGEBYSCORE": {3, 7, memberScore, sortedRange},
	"GEOSEARCH":        {4, 0, []string{"member", "distance", "longitude", "latitude"}, geoSearch},
	"XLEN":             {1, 1, keyValue, plain},
	"XRANGE":           {3, 5, []string{"id", "fields"}, streamRange},
	"XREVRANGE":        {3, 5, []string{"id", "fields"}, streamRange},
	"SCAN":             {1, 7, []string{"key"}, scan(0, single)},
	"HSCAN":            {2, 6, fieldValue, scan(1, both)},
	"SSCAN":            {2, 6, []string{"member"}, scan(1, single)},
	"ZSCAN":            {2, 6, memberScore, scan(1, both)},
}

var (
	value       = []string{"value"}
	keyValue    = []string{"key", "value"}
	fieldValue  = []string{"field", "value"}
	memberScore = []string{"member", "score"}
)

// instead says what to ask in place of commands that models think of.
var instead = map[string]string{
	"KEYS":      "KEYS goes through the whole keyspace at once: ask SCAN 0 MATCH pattern",
	"SELECT":    "SELECT is not there: the connection has one database",
	"XREAD":     "XREAD is not there: ask XRANGE key (id + COUNT n",
	"SORT":      "SORT is not there, since it can write",
	"SORT_RO":   "SORT_RO is not there: it would read keys that are not named",
	"SUNION":    "sets are not combined on the server here: ask SSCAN of each",
	"SINTER":    "sets are not combined on the server here: ask SSCAN of each",
	"SDIFF":     "sets are not combined on the server here: ask SSCAN of each",
	"INFO":      "INFO is not there: the tool that describes the database tells the version",
	"PFCOUNT":   "PFCOUNT is not there, since it writes a cache",
	"GEORADIUS": "GEORADIUS is not there, since it can write: ask GEOSEARCH",
}

// ask takes a command line to the command that it is. The error is a *wrong.
func ask(line string) (command, question, error) {
	words, err := split(line)
	if err != nil {
		return command{}, question{}, &wrong{err.Error()}
	}
	q := question{name: strings.ToUpper(words[0]), args: words[1:]}
	c, ok := commands[q.name]
	switch {
	case ok:
	case instead[q.name] != "":
		return c, q, &wrong{instead[q.name]}
	default:
		return c, q, &wrong{fmt.Sprintf("%.32q is not among the commands that may be asked, which only read", words[0])}
	}
	most := c.most
	if most < c.least {
		most = mostArguments
	}
	if len(q.args) < c.least || len(q.args) > most {
		return c, q, &wrong{q.name + " has too few or too many arguments"}
	}
	return c, q, nil
}
