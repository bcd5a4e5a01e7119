package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/auth/authtest"
)

// sealed is a payload that the rig's codec has encoded.
func (r *rig) sealed(t *testing.T) string {
	t.Helper()
	w := r.do(call{
		method: http.MethodPost, path: "/codec/encode", token: r.token("root", auth.Admin),
		body: `{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"eyJydW5faWQiOjF9","externalPayloads":[]}]}`,
	})
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.NotContains(t, w.Body.String(), "eyJydW5faWQiOjF9")
	return w.Body.String()
}

func fromUI(cookie string) map[string]string {
	h := map[string]string{"Origin": uiOrigin, "X-Namespace": "default", "Sec-Fetch-Site": "same-site"}
	if cookie != "" {
		h["Cookie"] = cookie
	}
	return h
}

func TestCodecTicketOpensTheBrowserOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := r.sealed(t)
	ticket := authtest.Token(t, r.tickets, "root", auth.Admin, auth.CodecDecode)

	w := r.do(call{path: "/codec/open?ticket=" + ticket})
	require.Equal(t, http.StatusSeeOther, w.Code, w.Body.String())
	require.Equal(t, uiOrigin, w.Header().Get("Location"))
	cookies := w.Result().Cookies()
	require.Len(t, cookies, 1)
	c := cookies[0]
	require.Equal(t, "steward_codec", c.Name)
	require.Equal(t, "/codec", c.Path)
	require.True(t, c.HttpOnly)
	require.Equal(t, http.SameSiteStrictMode, c.SameSite)
	cookie := c.Name + "=" + c.Value

	read := r.do(call{method: http.MethodPost, path: "/codec/decode", body: body, header: fromUI(cookie)})
	require.Equal(t, http.StatusOK, read.Code, read.Body.String())
	require.Equal(t, uiOrigin, read.Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, "true", read.Header().Get("Access-Control-Allow-Credentials"))
	var got struct {
		Payloads []struct{ Data []byte }
	}
	require.NoError(t, json.Unmarshal(read.Body.Bytes(), &got))
	require.JSONEq(t, `{"run_id":1}`, string(got.Payloads[0].Data))

	problem(t, r.do(call{path: "/codec/open?ticket=" + ticket}), http.StatusUnauthorized)
	problem(t, r.do(call{path: "/automation/runs", header: map[string]string{"Cookie": cookie}}), http.StatusUnauthorized)
	problem(t, r.do(call{method: http.MethodPost, path: "/codec/decode", body: body, header: fromUI(cookie + "x")}), http.StatusUnauthorized)
	require.NotContains(t, r.logs.String(), ticket)
	require.NotContains(t, r.logs.String(), c.Value)
}

func TestCodecRefusesOtherCredentials(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := r.sealed(t)
	access := r.token("root", auth.Admin)
	ticket := authtest.Token(t, r.tickets, "root", auth.Admin, auth.CodecDecode)
	for name, c := range map[string]call{
		"an access token is no ticket":      {path: "/codec/open?ticket=" + access},
		"a ticket is no access token":       {method: http.MethodPost, path: "/codec/decode", body: body, token: ticket},
		"a ticket is no cookie":             {method: http.MethodPost, path: "/codec/decode", body: body, header: fromUI("steward_codec=" + ticket)},
		"nobody":                            {method: http.MethodPost, path: "/codec/decode", body: body},
		"nobody, from the UI":               {method: http.MethodPost, path: "/codec/decode", body: body, header: fromUI("")},
		"a cookie with a wrong token aside": {method: http.MethodPost, path: "/codec/decode", body: body, token: "x", header: fromUI("steward_codec=y")},
	} {
		problem(t, r.do(c), http.StatusUnauthorized)
		require.NotEmpty(t, name)
	}
	user := authtest.Token(t, r.tickets, "alice", auth.User)
	problem(t, r.do(call{path: "/codec/open?ticket=" + user}), http.StatusForbidden)
	problem(t, r.do(call{method: http.MethodPost, path: "/codec/decode", body: body, token: r.token("alice", auth.User)}), http.StatusForbidden)
	damaged := strings.Replace(body, `"data":"`, `"data":"AAAA`, 1)
	p := problem(t, r.do(call{method: http.MethodPost, path: "/codec/decode", body: damaged, token: access}), http.StatusUnprocessableEntity)
	require.Equal(t, "undecodable", p.Code)
}

func TestCodecAdmitsOneForeignOrigin(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	preflight := func(origin string) call {
		return call{method: http.MethodOptions, path: "/codec/decode", header: map[string]string{
			"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-namespace",
		}}
	}
	w := r.do(preflight(uiOrigin))
	require.Equal(t, http.StatusNoContent, w.Code)
	require.Equal(t, uiOrigin, w.Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, "Origin", w.Header().Get("Vary"))
	for _, origin := range []string{"http://evil.test", "null", uiOrigin + ".evil.test", "https://ui.test:8233", "http://ui.test", "http://UI.test:8233"} {
		w := r.do(preflight(origin))
		problem(t, w, http.StatusForbidden)
		require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"), origin)
	}
	problem(t, r.do(call{path: "/automation/runs", header: map[string]string{"Origin": uiOrigin}}), http.StatusForbidden)
}

func TestDecodingIsAuditedOnceAMinuteAndPerson(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := r.sealed(t)
	for range 5 {
		for _, who := range []string{"root", "admin2"} {
			w := r.do(call{method: http.MethodPost, path: "/codec/decode", body: body, token: r.token(who, auth.Admin)})
			require.Equal(t, http.StatusOK, w.Code)
		}
	}
	events, err := r.db.Pool.Query(t.Context(), `SELECT actor, body FROM audit_events WHERE chain = 'system' AND kind = 'codec.decoded'`)
	require.NoError(t, err)
	defer events.Close()
	seen := map[string]int{}
	for events.Next() {
		var actor, facts string
		require.NoError(t, events.Scan(&actor, &facts))
		require.JSONEq(t, `{"payloads":1}`, facts, "how many, not what")
		seen[actor]++
	}
	require.NoError(t, events.Err())
	require.Len(t, seen, 2)
	for actor, n := range seen {
		require.LessOrEqual(t, n, 2, actor) // two if the minute turned while we asked
	}
}
