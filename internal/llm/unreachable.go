package llm

import (
	"crypto/tls"
	"errors"
	"net"
	"syscall"
)

// unreachable classifies a request that got no answer. The cause is named in our words, because the
// transport's own text repeats the address.
func unreachable(err error) *Error {
	e := &Error{Code: CodeNetwork, Retryable: true, Message: "the model provider cannot be reached"}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		e.Code, e.Message = CodeTimeout, "the model provider did not answer in time"
		return e
	}
	_, dns := errors.AsType[*net.DNSError](err)
	_, cert := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case dns:
		e.Message += ": its name is not known"
	case cert:
		e.Message += ": its certificate is not trusted"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Message += ": connection refused"
	case errors.Is(err, syscall.ECONNRESET):
		e.Message += ": connection lost"
	}
	return e
}
