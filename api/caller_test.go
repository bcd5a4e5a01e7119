package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
)

func FuzzNamed(f *testing.F) {
	for _, seed := range []struct{ query, body string }{
		{"", ""},
		{"user_id=alice", `{}`},
		{"username=alice&user_id=bob", ``},
		{"user_id=%zz", ``},
		{"user_id=a&user_id=b", ``},
		{"", `{"user_id":"alice"}`},
		{"", `{"user_id":"alice","username":"bob"}`},
		{"", `{"user_id":7}`},
		{"", `{"user_id":`},
		{"", "[]"},
	} {
		for _, in := range []naming{inQuery, inBody, inForm} {
			f.Add(seed.query, seed.body, int(in))
		}
	}
	f.Fuzz(func(t *testing.T, query, body string, in int) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/automation/run", strings.NewReader(body))
		r.URL.RawQuery = query
		owner, err := named(r, naming(in))
		if err != nil {
			require.True(t, fault.Is(err, fault.Invalid) || fault.Is(err, fault.Malformed), "%v", err)
			require.Empty(t, owner)
			return
		}
		rest, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Equal(t, body, string(rest), "the operation reads the body again")
		if naming(in) == inQuery && query == "" {
			require.Empty(t, owner, "only a key lets the body name the user")
		}
	})
}
