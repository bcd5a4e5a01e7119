package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// answer is what the API said; status 0 means that nobody answered.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (s *stack) call(ctx context.Context, method, path, token string, body any) answer {
	return s.send(ctx, method, path, map[string]string{"Authorization": bearer(token)}, body)
}

// callWithKey is a POST that may be repeated.
func (s *stack) callWithKey(ctx context.Context, path, token, key string, body any) answer {
	return s.send(ctx, "POST", path, map[string]string{"Authorization": bearer(token), "Idempotency-Key": key}, body)
}

func bearer(token string) string {
	if token == "" {
		return ""
	}
	return "Bearer " + token
}

func (s *stack) send(ctx context.Context, method, path string, header map[string]string, body any) answer {
	var doc []byte
	if body != nil {
		doc, _ = json.Marshal(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(doc))
	if err != nil {
		return answer{}
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}
	}
	defer func() { _ = res.Body.Close() }()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}
	}
	return answer{res.StatusCode, res.Header, out}
}

// user is somebody with a token.
type user struct {
	*stack
	t     testing.TB
	name  string
	token string
}

func (s *stack) as(t testing.TB, name string) *user {
	t.Helper()
	return &user{stack: s, t: t, name: name, token: strings.TrimSpace(s.steward(t, "token", "--user", name, "--ttl", "1h"))}
}

func (u *user) do(method, path string, body any) answer {
	u.t.Helper()
	return u.call(u.t.Context(), method, path, u.token, body)
}

// view is what tests read of a run.
type view struct {
	RunID  int64  `json:"run_id"`
	Status string `json:"status"`
	State  string `json:"state"`
	Output *struct {
		Text string          `json:"text"`
		Data json.RawMessage `json:"data"`
	} `json:"output"`
	ToolCalls []struct {
		ID         string `json:"id"`
		Name       string `json:"name"`
		Server     string `json:"server"`
		State      string `json:"state"`
		Outcome    string `json:"outcome"`
		ResolvedBy string `json:"resolved_by"`
		Attempts   int    `json:"attempts"`
		Decision   *struct {
			Kind        string `json:"kind"`
			Digest      string `json:"digest"`
			Explanation struct {
				Rules      []struct{ Code, Text string }
				Tainted    []string
				Addressees []struct {
					Value string
					Known bool
				}
			} `json:"explanation"`
		} `json:"decision"`
	} `json:"tool_calls"`
	Error *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Usage struct {
		TotalTokens int64 `json:"total_tokens"`
	} `json:"usage"`
	Waiting *struct {
		Reason string `json:"reason"`
		URL    string `json:"url"`
		Tool   string `json:"tool"`
	} `json:"waiting"`
}

// accept posts a run and returns its id.
func (u *user) accept(body map[string]any) int64 {
	u.t.Helper()
	a := u.do("POST", "/automation/run", body)
	require.Equal(u.t, 202, a.status, "%s", a.body)
	var out view
	require.NoError(u.t, json.Unmarshal(a.body, &out))
	require.Equal(u.t, "pending", out.Status)
	return out.RunID
}

func (u *user) get(id int64) view {
	u.t.Helper()
	a := u.do("GET", "/automation/run/"+strconv.FormatInt(id, 10), nil)
	require.Equal(u.t, 200, a.status, "%s", a.body)
	var v view
	require.NoError(u.t, json.Unmarshal(a.body, &v))
	return v
}

// until polls a run up to a deadline: the end-to-end tests look from outside, like a user's script.
func (u *user) until(id int64, within time.Duration, ok func(view) bool) view {
	u.t.Helper()
	deadline := time.Now().Add(within)
	for {
		v := u.get(id)
		if ok(v) {
			return v
		}
		if time.Now().After(deadline) {
			events := u.do("GET", "/automation/run/"+strconv.FormatInt(id, 10)+"/history", nil)
			require.FailNow(u.t, "run did not get there in time", "%+v\n%s", v, events.body)
		}
		select {
		case <-u.t.Context().Done():
			require.FailNow(u.t, "test ended")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func ended(v view) bool { return v.Status != "pending" }

func inState(state string) func(view) bool { return func(v view) bool { return v.State == state } }

// decide answers the open question of the run's call.
func (u *user) decide(id int64, decision string) {
	u.t.Helper()
	for _, c := range u.get(id).ToolCalls {
		if c.Decision == nil {
			continue
		}
		a := u.do("POST", "/automation/run/"+strconv.FormatInt(id, 10)+"/calls/"+c.ID+"/decision",
			map[string]any{"decision": decision, "digest": c.Decision.Digest})
		require.Equal(u.t, 200, a.status, "%s", a.body)
		return
	}
	require.FailNow(u.t, "nothing to decide", "%+v", u.get(id))
}

func path(id int64, rest string) string {
	return "/automation/run/" + strconv.FormatInt(id, 10) + "/" + rest
}
