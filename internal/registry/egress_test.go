package registry_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/egress"
	"steward/internal/egress/egresstest"
	"steward/internal/fault"
	"steward/internal/idempotency"
	"steward/internal/mcpclient"
	"steward/internal/registry"
	"steward/internal/store"
)

// isDenied is a refusal to register an address.
func isDenied(t *testing.T, err error, address string) {
	t.Helper()
	require.Equal(t, registry.CodeEgressDenied, fault.CodeOf(err), "%s: %v", address, err)
	require.True(t, fault.Is(err, fault.Invalid), address)
	require.NotContains(t, fault.Text(err), hostIn(t, address))
}

func hostIn(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u.Hostname()
}

// T-06: each way in which somebody can name an address for a server.
func TestT06SpecialAddressesAreNotRegistered(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, egress.Rules{})
	root := admin()
	there := w.add(root, registry.Server{Name: "there", Transport: "http", URL: "https://mcp.example.com/"})
	add := func(p auth.Principal, s registry.Server) error {
		_, _, err := w.Add(t.Context(), p, s, idempotency.Once{})
		return err
	}
	ways := map[string]func(address string) error{
		"by a user": func(address string) error {
			return add(user("alice"), registry.Server{Name: "x", Transport: "http", URL: address})
		},
		"by an admin for everybody": func(address string) error {
			return add(root, registry.Server{Name: "x", Transport: "http", URL: strings.Replace(address, "https:", "http:", 1)})
		},
		"by an admin alone": func(address string) error {
			return add(root, registry.Server{Name: "x", Transport: "http", URL: address, Private: true})
		},
		"by a change": func(address string) error {
			_, err := w.Change(t.Context(), root, there.ID, registry.Patch{URL: &address})
			return err
		},
		"by a package": func(address string) error {
			return w.CheckInstall(t.Context(), registry.Server{Name: "x", Transport: "http", URL: address})
		},
		"by a server.json": func(address string) error {
			in := registry.Import{Manifest: json.RawMessage(fmt.Sprintf(`{"name":"com.example/x","version":"1","remotes":[{"type":"streamable-http","url":%q}]}`, address))}
			s, _, err := in.Read()
			if err != nil {
				return err
			}
			return add(user("alice"), *s)
		},
	}
	for name, register := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, host := range egresstest.Special() {
				isDenied(t, register("https://"+host+"/mcp"), "https://"+host)
			}
		})
	}
}

// stored puts a server into the database as it is, as if its address had been another when it was looked at; "" stands
// for an admin's.
func (w *world) stored(t *testing.T, owner, name, transport, address string) *store.MCPServer {
	t.Helper()
	var id int64
	err := w.db.Pool.QueryRow(t.Context(), `INSERT INTO mcp_servers (owner, name, transport, url) VALUES (NULLIF($1, ''), $2, $3, $4) RETURNING id`,
		owner, name, transport, address).Scan(&id)
	require.NoError(t, err)
	row, err := w.Server(t.Context(), owner, id)
	require.NoError(t, err)
	require.NotNil(t, row)
	return row
}

func (w *world) calls(t *testing.T, owner string, s *store.MCPServer) error {
	t.Helper()
	_, err := w.Call(t.Context(), owner, s, mcpclient.Call{Tool: "order", Arguments: json.RawMessage(`{}`)})
	return err
}

// notReached is a call that was never sent.
func notReached(t *testing.T, err error, what string) {
	t.Helper()
	require.ErrorIs(t, err, egress.ErrDenied, what)
	require.Equal(t, registry.CodeEgressDenied, fault.CodeOf(err), what)
	require.True(t, fault.Is(err, fault.Forbidden), what)
	require.NotContains(t, fault.Text(err), "127.0.0.1")
}

// T-06, T-07: what was registered is judged again whenever it is dialled.
func TestT06SpecialAddressesAreNotCalled(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, egress.Rules{})
	for i, host := range egresstest.Special() {
		s := w.stored(t, "", fmt.Sprint("special", i), "http", "http://"+host+":9/mcp")
		notReached(t, w.calls(t, "alice", s), host)
	}
	st, err := w.Connect(t.Context(), "alice", w.stored(t, "", "inside", "http", "http://10.0.0.1/mcp"))
	require.NoError(t, err)
	require.Equal(t, "error", st.State)
	require.Equal(t, "the address of inside is not one that may be reached from here", st.Error)
}

// T-06: where a server sends us.
func TestT06ServersSendNobodyInside(t *testing.T) {
	t.Parallel()
	canary := egresstest.NewCanary(t, "127.0.0.2") // what is allowed below is 127.0.0.1
	w := newWorld(t)
	inside := append(egresstest.Special(), canary.Addr.String(), fmt.Sprintf("[::ffff:127.0.0.2]:%d", canary.Addr.Port()))
	for i, host := range inside {
		if hostIn(t, "http://"+host) == "127.0.0.1" || strings.HasPrefix(host, "[::ffff:127.0.0.1") {
			continue
		}
		for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
			outside := httptest.NewServer(http.RedirectHandler("http://"+host+"/", status))
			s := w.stored(t, "", fmt.Sprint("redirects", i, status), "http", outside.URL)
			require.Error(t, w.calls(t, "alice", s), host)
			outside.Close()
		}
	}
	events := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "event: endpoint\ndata: http://"+canary.Addr.String()+"/messages\n\n")
	}))
	t.Cleanup(events.Close)
	s := w.stored(t, "", "events", "http", events.URL)
	require.Error(t, w.calls(t, "alice", s))
	require.Zero(t, canary.Connects())
}

// T-08: a private address that one user may reach, by every way in which another might try.
func TestT08OwnPrivateAddresses(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, egress.Rules{Own: map[string][]netip.Prefix{"alice": {netip.MustParsePrefix("127.0.0.1/32")}}})
	shop := newShop(t, &mcp.Tool{Name: "order"})
	for _, p := range []auth.Principal{admin(), adminNamed("bob"), adminNamed("alice")} { // for everybody: not everybody reaches it
		_, _, err := w.Add(t.Context(), p, shop.server("everybodys"), idempotency.Once{})
		isDenied(t, err, shop.URL)
	}
	hidden := shop.server("bobs")
	hidden.Private = true
	_, _, err := w.Add(t.Context(), adminNamed("bob"), hidden, idempotency.Once{})
	isDenied(t, err, shop.URL)

	own := w.own("alice", shop.server("alices"))
	shared := w.stored(t, "", "shared", "http", shop.URL)
	bobs := w.stored(t, "bob", "bobs", "http", shop.URL)
	for range 3 {
		require.NoError(t, w.calls(t, "alice", own))
		require.NoError(t, w.calls(t, "alice", shared))
		notReached(t, w.calls(t, "bob", bobs), "his own, right after alice has used the address")
		notReached(t, w.calls(t, "bob", shared), "everybody's, right after alice has used it")
	}
	_, err = w.Tools(t.Context(), "bob", shared)
	notReached(t, err, "its tools")
}

// T-08: a stdio server's child reaches what the user may for whom it runs.
func TestT08ChildrenReachWhatTheirUserMay(t *testing.T) {
	t.Parallel()
	canary := egresstest.NewCanary(t, "127.0.0.1")
	w := newWorldWith(t, egress.Rules{Own: map[string][]netip.Prefix{"alice": {netip.MustParsePrefix("127.0.0.1/32")}}})
	s := w.add(admin(), registry.Server{Name: "dialler", Transport: "stdio", Command: "/bin/bash", Args: []string{
		"-c", fmt.Sprintf(`exec 3<>/dev/tcp/127.0.0.1/%d && echo reached >&2; exit 1`, canary.Addr.Port()),
	}})
	for _, owner := range []string{"bob", "carol"} {
		st, err := w.Connect(t.Context(), owner, s)
		require.NoError(t, err)
		require.Contains(t, strings.Join(st.Logs, "\n"), "Permission denied", owner)
		require.NotContains(t, st.Logs, "reached", owner)
	}
	require.Zero(t, canary.Connects())
	st, err := w.Connect(t.Context(), "alice", s)
	require.NoError(t, err)
	require.Contains(t, st.Logs, "reached")
	require.Eventually(t, func() bool { return canary.Connects() > 0 }, 5*time.Second, 5*time.Millisecond)
}
