package postgres_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// forgetful is a connection through a pooler that has lost what the session was begun with.
type forgetful struct {
	net.Conn

	begun bool
}

func (f *forgetful) Write(p []byte) (int, error) {
	if f.begun {
		return f.Conn.Write(p)
	}
	f.begun = true
	fields := strings.Split(string(p[8:]), "\x00") // behind length and version: names and values
	var kept bytes.Buffer
	for i := 0; i+1 < len(fields) && fields[i] != ""; i += 2 {
		if fields[i] == "user" || fields[i] == "database" {
			kept.WriteString(fields[i] + "\x00" + fields[i+1] + "\x00")
		}
	}
	kept.WriteByte(0)
	packet := binary.BigEndian.AppendUint32(nil, uint32(kept.Len()+8))
	packet = append(append(packet, p[4:8]...), kept.Bytes()...)
	if _, err := f.Conn.Write(packet); err != nil {
		return 0, err
	}
	return len(p), nil
}

// A pooler may hand out sessions that have the server's own settings.
func TestSettingsHoldBehindAPooler(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, setting := range []string{"standard_conforming_strings = off", "DateStyle = German", "client_encoding = LATIN1"} {
		p.exec("ALTER ROLE " + owner + " IN DATABASE " + p.name + " SET " + setting)
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := plainDial(ctx, network, address)
		return &forgetful{Conn: conn}, err
	}
	link := open(t, p.form(owner), dial)
	for range 2 { // also after a DISCARD ALL
		got, err := query(t, link, `SELECT 'Größe €' AS word, '\' AS backslash, date '2026-03-01' AS day, current_setting('client_encoding') AS encoding`)
		require.NoError(t, err)
		require.Equal(t, map[string]any{"word": "Größe €", "backslash": `\`, "day": "2026-03-01", "encoding": "UTF8"}, got.Rows[0])
		_, err = query(t, link, `SELECT '\'; DELETE FROM campaigns --'`)
		require.Error(t, err)
	}
	out := changed{}
	require.NoError(t, newAttempt("DB_WRITE", map[string]any{"statement": `INSERT INTO campaigns (campaign_name) VALUES ('Größe € \') RETURNING campaign_name`}).run(t, link, &out))
	require.Equal(t, `Größe € \`, p.one("SELECT campaign_name FROM campaigns WHERE id = 3"))
}
