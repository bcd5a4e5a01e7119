package redis

import (
	"cmp"
	"context"
	"strings"
	"time"

	driver "github.com/redis/go-redis/v9"

	"steward/internal/connector"
)

// Accounts that can do what the tools need and no more (security.md T-11).
const (
	readerAdvice = "ACL SETUSER steward on >PASSWORD ~* resetchannels -@all +@read -@dangerous -@scripting -@blocking +ping +select"
	writerAdvice = "ACL SETUSER steward on >PASSWORD ~* resetchannels -@all +@read +@write +@transaction -@dangerous -@scripting " +
		"-@blocking +eval_ro +ping +select"
)

// inside is the script in which commands of a powerful account travel. Since Redis 7 the server lets nothing in a
// read-only script change data, publish or block, and no command of administration into any script.
// https://redis.io/docs/latest/develop/programmability/#read-only-scripts
const inside = "return redis.pcall(unpack(ARGV))"

// proofTime is how long a wall is believed to stand without looking: an administrator may change the account.
const proofTime = time.Minute

// tried is a key that is only ever named in commands that cannot succeed.
const tried = markerPrefix + "tried"

// reading returns the reader behind the wall that this account has. Its error is a *connector.Error: a server and an
// account that offer none are refused.
func (l *link) reading(ctx context.Context) (reader, error) {
	l.mu.Lock()
	known, fresh := l.reader, time.Since(l.proved) < proofTime
	l.mu.Unlock()
	if fresh {
		return known, nil
	}
	scripted, err := prove(ctx, l.client) // several may ask at once, and learn the same
	if err != nil {
		return reader{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reader, l.proved = reader{l.client, scripted}, time.Now()
	return l.reader, nil
}

// prove finds out, in one round trip and without a change, what keeps this account from writing: scripted, or that it
// may not. The second command contradicts itself, so that whoever may send it is told of its syntax.
func prove(ctx context.Context, client *driver.Client) (scripted bool, err error) {
	pipe := client.Pipeline()
	script, write := pipe.Do(ctx, "EVAL_RO", "return 1", 0), pipe.Do(ctx, "SET", tried, "", "NX", "XX")
	if err := exec(ctx, pipe); err != nil {
		return false, failure(err, false)
	}
	if script.Val() == int64(1) {
		return true, nil
	}
	if !isCode(script.Err(), "NOPERM") && !isCode(script.Err(), "ERR") { // ERR: it knows no such command
		return false, failure(cmp.Or(script.Err(), errForeign), false)
	}
	if !mayNotUse(write.Err()) {
		return false, &connector.Error{Answered: true, Err: script.Err(), Reason: "the account could change data: let it use EVAL_RO (Redis 7 or later), " +
			"or connect with one that may only read, made by: " + readerAdvice}
	}
	return false, nil
}

// mayNotUse says whether the server has refused the command as such, and not only this key. The words differ by
// version; in doubt it is false, and the account is refused.
func mayNotUse(err error) bool {
	return isCode(err, "NOPERM") && strings.Contains(err.Error(), "permissions to run the")
}

// mayWrite finds out, without a change, whether the account can do what the tool that writes needs. Its error is an
// *connector.Error.
func mayWrite(ctx context.Context, client *driver.Client) error {
	pipe := client.Pipeline()
	set := pipe.Do(ctx, "SET", tried, "", "NX", "XX")
	rest := []*driver.Cmd{pipe.Do(ctx, "WATCH", tried), pipe.Do(ctx, "MULTI"), pipe.Do(ctx, "DISCARD")}
	_, _ = pipe.Exec(ctx)
	err := set.Err()
	if isCode(err, "ERR") { // of its syntax
		err = nil
	}
	for _, cmd := range rest {
		if err == nil {
			err = cmd.Err()
		}
	}
	switch {
	case err == nil:
		return nil
	case isCode(err, "NOPERM"):
		return &connector.Error{Answered: true, Err: err, Reason: "the account may not write: connect without writes, or with an account made by: " + writerAdvice}
	default:
		return failure(err, false)
	}
}
