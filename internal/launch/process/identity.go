package process

import (
	"crypto/sha256"
	"encoding/binary"
)

// Identity says whose child it is. Children of different servers never have the same user number; those of
// different owners of one server nearly never (one pair in 4,096).
type Identity struct {
	Server int64  // its id
	Owner  string // the user whose session it serves; empty for work that is nobody's, such as an installation
}

// Our user numbers: 65,536 servers with 4,096 numbers each, in a range that neither distributions nor containers
// hand out (systemd, "Users, Groups, UIDs and GIDs on systemd Systems": 1879048192 and up are unused).
const (
	firstUser   = 1_879_048_192
	ownersBits  = 12
	serversBits = 16
	userCount   = 1 << (serversBits + ownersBits)
)

// user is the number, and the group's.
func (i Identity) user() uint32 {
	sum := sha256.Sum256([]byte(i.Owner))
	server := uint32(uint64(i.Server) & (1<<serversBits - 1)) //nolint:gosec // its low bits are wanted
	return firstUser + server<<ownersBits + uint32(binary.BigEndian.Uint16(sum[:]))&(1<<ownersBits-1)
}
