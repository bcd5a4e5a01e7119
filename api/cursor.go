package api

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"steward/internal/fault"
)

// A cursor marks a place in a list that is ordered by id, newest first: the page after it holds smaller
// ids. It is opaque to clients so that its content may change; it is no secret and grants nothing, every
// query names the owner.
const cursorPrefix = "before:"

// firstPage is greater than every id: the query's cursor is never null, which keeps its index usable.
const firstPage int64 = math.MaxInt64

func encodeCursor(before int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorPrefix + strconv.FormatInt(before, 10)))
}

// decodeCursor accepts exactly what encodeCursor made; "" is the first page.
func decodeCursor(cursor string) (int64, error) {
	if cursor == "" {
		return firstPage, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	digits, ok := strings.CutPrefix(string(raw), cursorPrefix)
	id, parseErr := strconv.ParseInt(digits, 10, 64)
	if err != nil || !ok || parseErr != nil || id < 1 || encodeCursor(id) != cursor {
		return 0, fault.InvalidField("query.cursor", "not a cursor that this list returned")
	}
	return id, nil
}
