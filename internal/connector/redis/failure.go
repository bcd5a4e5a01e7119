package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"unicode"

	driver "github.com/redis/go-redis/v9"

	"steward/internal/connector"
	"steward/internal/egress"
)

// mostReason bounds what is passed on of a server's own words, in characters.
const mostReason = 200

// answers are what the first word of a server's refusal means. Where it stands here the server's own words are not
// passed on: some name other hosts, and some what the account is called.
var answers = map[string]string{ //nolint:gosec // G101: words about passwords, and none of them
	"WRONGPASS":   "the server refuses the user name or the password",
	"NOAUTH":      "the server asks for a password",
	"NOPERM":      "the account may not use this command or this key",
	"DENIED":      "the server accepts no connections from here",
	"MOVED":       "the server belongs to a cluster, and another node of it has this key: only the node that was connected is asked",
	"ASK":         "the server belongs to a cluster, and another node of it has this key: only the node that was connected is asked",
	"CROSSSLOT":   "in a cluster, the keys of one command must lie in one slot",
	"READONLY":    "the server is a replica, which takes no changes",
	"MASTERDOWN":  "the server is a replica that has lost its primary",
	"LOADING":     "the server is still loading its data: try again later",
	"TRYAGAIN":    "the cluster is moving the key: try again later",
	"CLUSTERDOWN": "the cluster is not complete: try again later",
	"BUSY":        "the server is busy with a script: try again later",
	"OOM":         "the server has no memory left for changes",
	"MISCONF":     "the server cannot save its data and takes no changes",
	"WRONGTYPE":   "the key holds a value of another type than the command is for",
}

// passing are refusals that end by themselves: the command is as good as before.
var passing = []string{"LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"}

// failure is what an error of the server, or of the way to it, means for a call. ran says whether the call may have
// had its effect where nobody has answered.
func failure(err error, ran bool) *connector.Error {
	if said, ok := errors.AsType[driver.Error](err); ok {
		code, _, _ := strings.Cut(said.Error(), " ")
		return &connector.Error{Answered: !slices.Contains(passing, code), Reason: refusal(said), Err: err}
	}
	e := &connector.Error{Ran: ran, Reason: "the connection to the server failed", Err: err}
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	timeout, late := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, errTooLarge):
		e.Answered, e.Reason = !ran, "the answer is larger than 4 MiB: ask for a part of it, as with GETRANGE, LRANGE or COUNT"
	case errors.Is(err, egress.ErrDenied):
		e.Reason = "the address may not be reached from here"
	case certificate:
		e.Reason = "the server's certificate is not accepted"
	case errors.Is(err, errForeign):
		e.Reason = "what answers there is no Redis server"
	case errors.Is(err, context.DeadlineExceeded), late && timeout.Timeout():
		e.Reason = "the server did not answer in time"
	}
	return e
}

// refusal is a server's no in our words, or in its own.
func refusal(said error) string {
	code, words, _ := strings.Cut(said.Error(), " ")
	if meaning, ok := answers[code]; ok {
		return meaning
	}
	clean := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(words, ""))
	if runes := []rune(clean); len(runes) > mostReason {
		clean = string(runes[:mostReason])
	}
	return "the server refuses: " + clean
}

// isCode says whether an error is a refusal by the server with that first word.
func isCode(err error, code string) bool {
	said, ok := errors.AsType[driver.Error](err)
	return ok && strings.HasPrefix(said.Error(), code+" ")
}
