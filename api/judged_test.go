package api_test

import (
	"cmp"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/contract"
	"steward/internal/auth"
)

// TestEveryOperationIsJudged sends each operation's documented example through Prism, to objects that are there:
// somebody else's reading of the document accepts the request, and the answer.
func TestEveryOperationIsJudged(t *testing.T) {
	t.Parallel()
	r, g := toolRig(t)
	alices := r.belongings(g.URL)
	r.finish(1) // Prism holds an event stream back until it ends
	judge := contract.Prism(t, "openapi.json", r.listen())
	client := &http.Transport{}
	t.Cleanup(client.CloseIdleConnections)
	all := operations(t)
	slices.SortStableFunc(all, func(a, b documented) int { return cmp.Compare(harm(a.method), harm(b.method)) })
	statuses := map[int]int{}
	for _, op := range all {
		if op.ID == "beginGoogleLogin" {
			continue // Prism would follow the redirect
		}
		c := op.on(t, alices, "alice")
		c.token = r.token("alice", auth.Admin)
		req := r.request(c)
		sent, err := http.NewRequestWithContext(t.Context(), op.method, judge+c.path, strings.NewReader(c.body))
		require.NoError(t, err)
		sent.Header = req.Header
		res, err := client.RoundTrip(sent)
		require.NoError(t, err, op.ID)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err, op.ID)
		require.NoError(t, res.Body.Close())
		require.NotContains(t, string(body), "stoplight.io/prism", op.ID)
		statuses[res.StatusCode/100]++
	}
	require.Greater(t, statuses[2], len(all)*3/5, "%v", statuses)
}

// harm puts in order what can be asked of the same objects: first what looks, last what removes.
func harm(method string) int {
	return slices.Index([]string{http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete}, method)
}

// onlyHere keeps a client on this machine: the examples name hosts of others.
func onlyHere(c *http.Client) { c.Transport = here{c.Transport} }

type here struct{ http.RoundTripper }

func (h here) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Hostname() != "127.0.0.1" {
		return nil, errAway
	}
	return h.RoundTripper.RoundTrip(r)
}
