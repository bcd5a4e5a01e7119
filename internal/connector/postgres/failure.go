package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"steward/internal/connector"
	"steward/internal/connector/database"
	"steward/internal/egress"
)

// failed is what an error means after which nothing has happened: of reading, and of a change before its commit.
func failed(err error) *connector.Error {
	if e, ok := errors.AsType[*connector.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return told(e)
	}
	return &connector.Error{Reason: why(err), Err: err}
}

// told is what the server has said. What it says about itself and its network stays in the log.
func told(e *pgconn.PgError) *connector.Error {
	out := &connector.Error{Answered: true, Err: e}
	switch e.Code {
	case "28P01", "28000":
		out.Reason = "the server does not let this user in: the name or the password is wrong, or its rules forbid it"
	case "3D000":
		out.Reason = "there is no database of this name"
	case "53300", "57P03":
		out.Answered, out.Reason = false, "the server takes no more connections now"
	case "57014":
		out.Reason = fmt.Sprintf("the statement was stopped: it took longer than %s", database.QueryTime)
	case "55P03":
		out.Reason = "a lock that somebody else holds was not to be had in time"
	case "25006":
		out.Reason = "the statement changes something, and here it is only possible to read"
	default:
		out.Reason = said(e)
		if class := e.Code[:min(2, len(e.Code))]; class == "57" || class == "58" || class == "XX" {
			out.Answered, out.Reason = false, "the server has a fault of its own, or is being stopped"
		}
	}
	return out
}

// longestSaid bounds what is passed on of the server's words, in bytes.
const longestSaid = 500

func said(e *pgconn.PgError) string {
	text := e.Message
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	if e.Position > 0 {
		text += fmt.Sprintf(", at character %d", e.Position)
	}
	if len(text) > longestSaid {
		text = strings.ToValidUTF8(text[:longestSaid], "") + "..."
	}
	return text + " (SQLSTATE " + e.Code + ")"
}

// why says in words what kept us from the server.
func why(err error) string {
	var tooLong *pgproto3.ExceededMaxBodyLenErr
	_, untrusted := errors.AsType[x509.UnknownAuthorityError](err)
	_, elsewhere := errors.AsType[x509.HostnameError](err)
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	_, unconnected := errors.AsType[*pgconn.ConnectError](err)
	switch {
	case errors.Is(err, egress.ErrDenied):
		return "the address is not allowed: it is not public, and the operator has not allowed it"
	case elsewhere:
		return "the server's certificate is made out to another host"
	case untrusted, unverified:
		return "the server's certificate is not signed by a trusted authority, or not valid"
	case errors.As(err, &tooLong):
		return fmt.Sprintf("a row has more than %d bytes: select fewer columns", mostMessage)
	case errors.Is(err, context.DeadlineExceeded), pgconn.Timeout(err):
		return "the server did not answer in time"
	case unconnected:
		return "the server cannot be reached, or does not speak as the settings say (TLS)"
	default:
		return "the connection to the server broke"
	}
}
