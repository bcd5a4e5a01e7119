package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/auth/authtest"
	"steward/internal/secret"
)

// cookieDoor is a door without a database: enough to read cookies.
func cookieDoor(t testing.TB) *codecDoor {
	t.Helper()
	ring, err := secret.NewRing(authtest.Key(t))
	require.NoError(t, err)
	return &codecDoor{ring: ring}
}

func withCookie(t testing.TB, header string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/codec/decode", nil)
	r.Header.Set("Cookie", header)
	return r
}

func FuzzCodecCookie(f *testing.F) {
	door := cookieDoor(f)
	other, err := cookieDoor(f).seal(codecPass{Owner: "root", Role: auth.Admin, Expires: time.Now().Add(time.Hour)})
	require.NoError(f, err)
	old, err := door.seal(codecPass{Owner: "root", Role: auth.Admin, Expires: time.Now().Add(-time.Second)})
	require.NoError(f, err)
	for _, value := range []string{"", "=", "x", "gAAAAA", other, old, old + "=", "\x00", "a; steward_codec=b"} {
		f.Add(codecCookie + "=" + value)
	}
	f.Fuzz(func(t *testing.T, header string) {
		_, ok := door.session(withCookie(t, header))
		require.False(t, ok, "nobody can make a cookie")
	})
}

func TestCodecCookieEndsWithItsTime(t *testing.T) {
	t.Parallel()
	door := cookieDoor(t)
	for left, want := range map[time.Duration]bool{time.Minute: true, -time.Second: false} {
		value, err := door.seal(codecPass{Owner: "root", Role: auth.Admin, ID: "ticket", Expires: time.Now().Add(left)})
		require.NoError(t, err)
		p, ok := door.session(withCookie(t, codecCookie+"="+value))
		require.Equal(t, want, ok)
		if want {
			require.NoError(t, p.Require(auth.CodecDecode))
			require.Error(t, p.Require(auth.RunsRead), "it opens the codec alone")
		}
	}
}
