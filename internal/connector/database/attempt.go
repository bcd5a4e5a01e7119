package database

import (
	"strconv"

	"steward/internal/connector"
)

// Attempt reads the number of an attempt at a write that the one before has noted as its receipt; 0: there was none.
func Attempt(receipt string) (int, error) {
	if receipt == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(receipt)
	if err != nil || n < 1 {
		return 0, &connector.Error{Reason: "what an earlier attempt has noted cannot be read", Err: err}
	}
	return n, nil
}
