package store

import (
	"errors"
	"io"
	"net"
)

// isConnectionLoss reports that the connection broke under a statement.
func isConnectionLoss(err error) bool {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return true
	}
	_, ok := errors.AsType[net.Error](err)
	return ok
}
