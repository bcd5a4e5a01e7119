package secret

import "encoding/hex"

// MarkBytes is the length of a mark. A multiple of four, so that marked text has the padding of its token.
const MarkBytes = 12

const (
	markHead = "k1." // format 1
	markTail = '.'
)

// Mark is what stands in front of the tokens that the key with this id has sealed, "k1.1a2b3c4d.". By it a
// database finds the values of a key without having one (dev/adr/0001). It is a label and proves nothing:
// a false one makes its value unreadable.
func Mark(keyID string) []byte {
	return append(append([]byte(markHead), keyID...), markTail)
}

// SealedBy splits a sealed value, or its first MarkBytes bytes, into the id of the key and the token. The
// id is "" where there is no mark: in payloads of Temporal, whose metadata names the key.
func SealedBy(sealed []byte) (keyID string, token []byte) {
	const from, to = len(markHead), MarkBytes - 1
	if len(sealed) < MarkBytes || string(sealed[:from]) != markHead || sealed[to] != markTail {
		return "", sealed
	}
	id := string(sealed[from:to])
	if raw, err := hex.DecodeString(id); err != nil || hex.EncodeToString(raw) != id {
		return "", sealed
	}
	return id, sealed[MarkBytes:]
}
