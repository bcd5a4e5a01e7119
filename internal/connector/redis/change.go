package redis

import (
	"fmt"
	"strings"
)

// writing are the commands that may be in a transaction, with the least number of words after the name. None of them
// blocks, runs a script, or reaches beyond the keys that it names; none copies one value into another, which may be
// large.
var writing = map[string]int{
	"SET": 2, "SETNX": 2, "SETEX": 3, "PSETEX": 3, "MSET": 2, "APPEND": 2, "GETDEL": 1, "SETRANGE": 3,
	"INCR": 1, "INCRBY": 2, "INCRBYFLOAT": 2, "DECR": 1, "DECRBY": 2,
	"DEL": 1, "UNLINK": 1, "EXPIRE": 2, "PEXPIRE": 2, "EXPIREAT": 2, "PEXPIREAT": 2, "PERSIST": 1,
	"HSET": 3, "HSETNX": 3, "HDEL": 2, "HINCRBY": 3, "HINCRBYFLOAT": 3,
	"LPUSH": 2, "RPUSH": 2, "LPUSHX": 2, "RPUSHX": 2, "LPOP": 1, "RPOP": 1, "LREM": 3, "LSET": 3, "LTRIM": 3, "LINSERT": 4,
	"SADD": 2, "SREM": 2, "ZADD": 3, "ZREM": 2, "ZINCRBY": 3, "GEOADD": 4, "XADD": 4, "XDEL": 2, "XTRIM": 3,
}

// changes takes command lines to commands. The error is a *wrong: all of them are refused.
func changes(lines []string) ([][]string, error) {
	if len(lines) == 0 || len(lines) > mostCommands {
		return nil, &wrong{fmt.Sprintf("a transaction has 1 to %d commands", mostCommands)}
	}
	out := make([][]string, 0, len(lines))
	for i, line := range lines {
		words, err := split(line)
		if err != nil {
			return nil, &wrong{fmt.Sprintf("command %d: %s", i+1, err)}
		}
		words[0] = strings.ToUpper(words[0])
		least, ok := writing[words[0]]
		switch {
		case !ok:
			return nil, &wrong{fmt.Sprintf("command %d: %.32q is not among the commands that may be used to write", i+1, words[0])}
		case len(words)-1 < least || len(words) > mostArguments:
			return nil, &wrong{fmt.Sprintf("command %d: %s has too few or too many arguments", i+1, words[0])}
		}
		for _, word := range words[1:] {
			if strings.HasPrefix(word, markerPrefix) {
				return nil, &wrong{fmt.Sprintf("command %d: keys that begin with %s are Steward's own", i+1, markerPrefix)}
			}
		}
		out = append(out, words)
	}
	return out, nil
}
