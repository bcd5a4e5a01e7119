package mysql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"regexp"
	"slices"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"steward/internal/connector"
	"steward/internal/egress"
)

// mostReason bounds what is passed on of a server's own words, in characters.
const mostReason = 300

// Numbers of errors. https://mariadb.com/docs/server/reference/error-codes
const (
	duplicateKey    = 1062
	syntaxError     = 1064
	deniedDatabase  = 1044
	deniedTable     = 1142
	noSuchTable     = 1146
	unknownVariable = 1193
	lockWait        = 1205
	deadlock        = 1213
)

// meanings are what some errors say where the server's own words name accounts and hosts, or are no help.
var meanings = map[uint16]string{
	1040:           "the server has too many connections: try again later",
	deniedDatabase: "the account may not use this database",
	1045:           "the server refused the username or the password",
	1129:           "the server refuses connections from here after too many that failed",
	1130:           "the server accepts no connections from here",
	deniedTable:    "the account may not do this with this table",
	1143:           "the account may not do this with this column",
	1203:           "the account has too many connections: try again later",
	1226:           "the account has used up what it may use for now: try again later",
	1227:           "the account may not do this",
	1290:           "the server takes no changes now",
	1317:           "the query was stopped by the server",
	1370:           "the account may not use this function",
	1698:           "the server refused the username or the password",
	1792:           "a query may change nothing",
	1969:           tooLong,
	3024:           tooLong,
	3159:           "the server wants encrypted connections: tick SSL Required",
}

const tooLong = "it took longer than 15 seconds and was stopped"

// passing are errors that may be gone with the next attempt, for which nothing need be changed.
var passing = []uint16{1040, 1203, lockWait, deadlock}

var account = regexp.MustCompile(`'[^']*'@'[^']*'`)

// failure is what an error means for a call. ran says whether the call may have had its effect where nobody has answered.
func failure(err error, ran bool) *connector.Error {
	if e, ok := errors.AsType[*connector.Error](err); ok {
		return e
	}
	if no, ok := errors.AsType[refusal](err); ok {
		return &connector.Error{Answered: true, Reason: string(no)}
	}
	if said, ok := errors.AsType[*driver.MySQLError](err); ok {
		return &connector.Error{Ran: ran, Answered: !ran && !slices.Contains(passing, said.Number), Reason: meaning(said), Err: err}
	}
	e := &connector.Error{Ran: ran, Reason: "the connection to the database broke before the answer was complete", Err: err}
	late, waited := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, egress.ErrDenied):
		e.Reason = "the address may not be reached from here"
	case errors.Is(err, driver.ErrNoTLS):
		e.Reason = "the server does not offer encrypted connections"
	case isCertificate(err):
		e.Reason = "the server's certificate is not accepted"
	case errors.Is(err, driver.ErrCleartextPassword), errors.Is(err, driver.ErrOldPassword), errors.Is(err, driver.ErrUnknownPlugin):
		e.Reason = "the server asks for the password in a way that is not safe or not known"
	case errors.Is(err, context.DeadlineExceeded), waited && late.Timeout():
		e.Reason = "the database did not answer in time"
	}
	return e
}

// isCertificate knows what was found wrong by crypto/tls, and by ourselves in the mode verify-ca.
func isCertificate(err error) bool {
	_, checked := errors.AsType[*tls.CertificateVerificationError](err)
	_, stranger := errors.AsType[x509.UnknownAuthorityError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	return checked || stranger || invalid
}

// readFailure is failure for what changes nothing.
func readFailure(err error) *connector.Error { return failure(err, false) }

// meaning is a server's no in our words, or in its own without accounts.
func meaning(said *driver.MySQLError) string {
	if m, ok := meanings[said.Number]; ok {
		return m
	}
	words := strings.Join(strings.Fields(strings.ToValidUTF8(account.ReplaceAllString(said.Message, "the account"), "\uFFFD")), " ")
	if runes := []rune(words); len(runes) > mostReason {
		words = string(runes[:mostReason]) + "…"
	}
	return "the database refused: " + words
}

func isNumber(err error, numbers ...uint16) bool {
	said, ok := errors.AsType[*driver.MySQLError](err)
	return ok && slices.Contains(numbers, said.Number)
}
