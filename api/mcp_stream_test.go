package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/auth"
)

// events opens a stream and returns its lines and how to leave it.
func (r *rig) events(url, token string) (*bufio.Scanner, context.CancelFunc) {
	r.t.Helper()
	ctx, leave := context.WithCancel(r.t.Context())
	r.t.Cleanup(leave)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(r.t, err)
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = res.Body.Close() })
	require.Equal(r.t, http.StatusOK, res.StatusCode)
	require.Equal(r.t, "no", res.Header.Get("X-Accel-Buffering"))
	return bufio.NewScanner(res.Body), leave
}

func endpoint(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			return address
		}
	}
	require.NoError(t, lines.Err())
	return ""
}

func TestMCPOverSSE(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	url, alice := r.listen(), r.token("alice", auth.User)
	r.run("alice")
	for _, path := range []string{"/mcp", "/mcp/"} {
		client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
		session, err := client.Connect(t.Context(), &sdk.SSEClientTransport{Endpoint: url + path, HTTPClient: &http.Client{Transport: bearer{alice}}}, nil)
		require.NoError(t, err, path)
		t.Cleanup(func() { _ = session.Close() })
		result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "get_automation_runs"})
		require.NoError(t, err)
		require.Contains(t, text(t, result), `"user_id":"alice"`)
	}
}

func TestMCPSSESessionBelongsToOneUser(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	url, alice := r.listen(), r.token("alice", auth.User)
	lines, leave := r.events(url+"/mcp/", alice)
	address := endpoint(t, lines)
	require.True(t, strings.HasPrefix(address, "/mcp/messages/?session_id="), address)

	post := func(address, token string) int {
		c := rpc("ping", `{}`, "")
		c.path, c.token = address, token
		return r.mcp(c).Code
	}
	require.Equal(t, http.StatusAccepted, post(address, alice))
	for lines.Scan() && !strings.Contains(lines.Text(), `"result":{}`) {
		continue // up to the answer
	}
	require.Equal(t, http.StatusNotFound, post(address, r.token("bob", auth.User)))
	require.Equal(t, http.StatusNotFound, post("/mcp/messages/?session_id=AAAA", alice))
	require.Equal(t, http.StatusUnauthorized, post(address, ""))

	start := rpc("tools/call", `{"name":"run_automation","arguments":{"instructions":"x"}}`, "")
	start.path, start.token = address, r.token("alice", auth.User, auth.RunsRead)
	problem(t, r.mcp(start), http.StatusForbidden)
	leave()
	require.Eventually(t, func() bool { return post(address, alice) == http.StatusNotFound }, 5*time.Second, time.Millisecond)
}

func TestMCPStreamsEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	lines, _ := r.events(r.listen()+"/mcp", r.token("alice", auth.User))
	endpoint(t, lines)
	close(r.closing)
	for lines.Scan() {
		continue // up to the end, which comes at shutdown
	}
	require.NoError(t, lines.Err())
}

func TestMCPStreamsAreCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.deps.Rates.Streams = 1
	limited := newRigWith(t, r)
	url, alice := limited.listen(), r.token("alice", auth.User)
	lines, _ := limited.events(url+"/mcp/", alice)
	endpoint(t, lines)
	second := call{path: "/mcp/", token: alice, header: map[string]string{"Accept": "text/event-stream"}}
	require.Equal(t, "too_many_streams", problem(t, limited.mcp(second), http.StatusTooManyRequests).Code)
}

// A caller has so many sessions of older revisions: one more ends the one that was idle longest (T-40).
func TestMCPSessionsAreCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	alice, bob := r.token("alice", auth.User), r.token("bob", auth.User)
	open := func(token string) string {
		c := rpc("initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`, "")
		c.token = token
		w := r.mcp(c)
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		return w.Header().Get("Mcp-Session-Id")
	}
	ping := func(id, token string) int {
		c := rpc("ping", `{}`, "")
		c.token, c.header["Mcp-Session-Id"], c.header["Mcp-Protocol-Version"] = token, id, "2025-11-25"
		return r.mcp(c).Code
	}
	const most = 50
	others := open(bob)
	var mine []string
	for range most {
		mine = append(mine, open(alice))
	}
	require.Equal(t, http.StatusOK, ping(mine[0], alice), "all of them are there")
	mine = append(mine, open(alice))
	require.Equal(t, http.StatusNotFound, ping(mine[1], alice), "the first was used since")
	require.Equal(t, http.StatusOK, ping(mine[0], alice))
	require.Equal(t, http.StatusOK, ping(mine[most], alice))
	require.Equal(t, http.StatusOK, ping(others, bob))
}

// Answers go to who asked, however much their requests look alike (T-38). BenchmarkMCPAnswers is the long way of it.
func TestMCPNeverMixesAnswers(t *testing.T) {
	t.Parallel()
	neverMixed(t, 40)
}

// neverMixed has 64 clients call at the same time, each that often and one after another, half of them in sessions of
// an older revision. All their requests have the same id.
func neverMixed(t testing.TB, calls int) {
	t.Helper()
	const clients = 64
	r := around(t, nil, map[string]sdk.ToolHandler{"whoami": func(_ context.Context, c *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		said := c.Extra.TokenInfo.UserID + string(c.Params.Arguments)
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: said}}}, nil
	}})
	url := r.listen()
	pool := &http.Transport{MaxIdleConnsPerHost: clients}
	t.Cleanup(pool.CloseIdleConnections)
	var all sync.WaitGroup
	failures := make(chan error, clients)
	for i := range clients {
		user := fmt.Sprintf("user%d", i)
		ask := toolCall("whoami", `{"nth":0}`)
		ask.token = r.token(user, auth.User)
		if i%2 == 0 { // a session of an older revision
			open := rpc("initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`, "")
			open.token = ask.token
			id := r.mcp(open).Header().Get("Mcp-Session-Id")
			require.NotEmpty(t, id)
			ask = rpc("tools/call", `{"name":"whoami","arguments":{"nth":0}}`, "")
			ask.token, ask.header["Mcp-Session-Id"], ask.header["Mcp-Protocol-Version"] = open.token, id, "2025-11-25"
		}
		all.Go(func() {
			for n := range calls {
				this := ask
				this.body = strings.Replace(ask.body, `"nth":0`, fmt.Sprintf(`"nth":%d`, n), 1)
				want := fmt.Sprintf("%s\x1f%s{\"nth\":%d}", user, user, n)
				if err := answered(r, pool, url, this, want); err != nil {
					failures <- fmt.Errorf("call %d of %s: %w", n, user, err)
					return
				}
			}
		})
	}
	all.Wait()
	close(failures)
	for err := range failures {
		require.NoError(t, err)
	}
}

// answered sends a message and looks whether the answer is the one that is wanted.
func answered(r *rig, transport http.RoundTripper, url string, c call, want string) error {
	req := r.request(c)
	sent, err := http.NewRequestWithContext(r.t.Context(), req.Method, url+c.path, strings.NewReader(c.body))
	if err != nil {
		return err
	}
	sent.Header = req.Header
	res, err := transport.RoundTrip(sent)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	plain := res.Header.Get("Content-Type") == "application/json"
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if plain {
			data, ok = lines.Text(), true
		}
		if !ok || data == "" { // an event that only tells where a stream could be resumed
			continue
		}
		var answer struct {
			Result struct{ Content []struct{ Text string } }
		}
		if err := json.Unmarshal([]byte(data), &answer); err != nil {
			return err
		}
		if got := answer.Result.Content; len(got) != 1 || got[0].Text != want {
			return fmt.Errorf("not the answer to this: %s", data)
		}
		_, err := io.Copy(io.Discard, res.Body) // so that the connection serves the next
		return err
	}
	return fmt.Errorf("no answer: %d", res.StatusCode)
}
