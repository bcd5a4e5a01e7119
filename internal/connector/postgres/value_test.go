package postgres

import (
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"
)

// FuzzValue: whatever a server sends for a type, it becomes a value that JSON has, and times and numbers keep what they
// say.
func FuzzValue(f *testing.F) {
	types := pgtype.NewMap()
	oids := []uint32{
		pgtype.BoolOID, pgtype.Int8OID, pgtype.NumericOID, pgtype.Float8OID, pgtype.JSONBOID, pgtype.TimestamptzOID, pgtype.TimestampOID, pgtype.ByteaOID,
		pgtype.TextOID, pgtype.Int4ArrayOID, pgtype.TextArrayOID, pgtype.NumericArrayOID, pgtype.TimestamptzArrayOID, pgtype.JSONBArrayOID, 999999,
	}
	for _, seed := range []string{
		"t", "1", "-0", "NaN", "1e400", "0.10", "00", "9223372036854775808", `{"a":1}`, "2026-11-21 18:50:05.25+00", "0044-03-15 00:00:00 BC", "infinity",
		`\x00ff`, "{1,NULL,3}", "{{1,2},{3,4}}", `{"a\"b",NULL,"NULL"}`, "[0:1]={1,2}", "{{},{}}", "[1:999999999]={1}", "{", "{,}", "\xff", "",
	} {
		for i := range oids {
			f.Add(uint8(i), []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, sent []byte) {
		oid := oids[int(which)%len(oids)]
		_, err := json.Marshal(value(types, oid, sent))
		require.NoError(t, err)
		require.Nil(t, value(types, oid, nil))
	})
}
