package oauth

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
)

func TestOldLinksDoNotWork(t *testing.T) {
	t.Parallel()
	s := &Service{linkKey: []byte("of this test")} // an old link gets nowhere near the database
	payload, err := json.Marshal(link{ID: "1", Owner: "alice", Provider: "google", Expires: time.Now().Add(-time.Second).Unix()})
	require.NoError(t, err)
	body := base64.RawURLEncoding.EncodeToString(payload)
	text := body + "." + base64.RawURLEncoding.EncodeToString(s.sign(body))
	read, ok := s.readLink(text)
	require.True(t, ok)
	require.Equal(t, "alice", read.Owner)
	_, err = s.OpenLink(t.Context(), text)
	require.Equal(t, CodeLinkInvalid, fault.CodeOf(err))
}
