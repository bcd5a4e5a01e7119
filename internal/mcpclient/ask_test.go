package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// inquirers are a child and a remote server, both older, whose tool "ask" asks in mid-call.
func inquirers(t *testing.T) map[string]Target {
	t.Helper()
	child := childTarget("serve")
	child.Era = EraLegacy
	return map[string]Target{"stdio": child, "http": newRemote(t, EraLegacy).target(EraLegacy), "sse": newOlder(t).target(WireSSE)}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	question := Question{Mode: "form", Message: "Sure?", Schema: json.RawMessage(`{"properties":{"sure":{"default":true,"type":"boolean"}},"required":["sure"],"type":"object"}`)}
	answers := map[string]struct {
		answer Answer
		err    error
		want   string
	}{
		"accept":           {Answer{Action: ActionAccept, Content: json.RawMessage(`{"sure":false}`)}, nil, `accept {"sure":false}`},
		"by default":       {Answer{Action: ActionAccept}, nil, `accept {"sure":true}`},
		"decline":          {Answer{Action: ActionDecline}, nil, "decline null"},
		"cancel":           {Answer{Action: ActionCancel}, nil, "cancel null"},
		"nobody":           {Answer{}, errors.New("nobody"), "cancel null"},
		"not what's asked": {Answer{Action: ActionAccept, Content: json.RawMessage(`{"sure":"yes"}`)}, nil, "cancel null"},
	}
	for transport, target := range inquirers(t) {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			pool := newPool(t, Options{})
			for name, tt := range answers {
				res, err := pool.Call(t.Context(), target, Call{Tool: "ask", Ask: func(_ context.Context, q Question) (Answer, error) {
					require.Equal(t, question, q)
					return tt.answer, tt.err
				}})
				require.NoError(t, err, name)
				require.Equal(t, tt.want, res.Text(), name)
			}
			res, err := call(t, pool, target, "ask", "")
			require.NoError(t, err)
			require.Equal(t, "cancel null", res.Text(), "nobody to ask")
		})
	}
}

// A person may take longer than the call has. What the tool takes beside that counts.
func TestTimeStandsStillWhileAsked(t *testing.T) {
	t.Parallel()
	targets, remote := inquirers(t), newRemote(t, EraLegacy)
	targets["http"] = remote.target(EraLegacy)
	for transport, target := range targets {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			pool := newPool(t, Options{})
			_, err := pool.Ping(t.Context(), target)
			require.NoError(t, err)
			target.Timeout = 300 * time.Millisecond
			slow := func(ctx context.Context, _ Question) (Answer, error) {
				select {
				case <-ctx.Done():
					return Answer{}, ctx.Err()
				case <-time.After(2 * target.Timeout):
					return Answer{Action: ActionDecline}, nil
				}
			}
			res, err := pool.Call(t.Context(), target, Call{Tool: "ask", Ask: slow})
			require.NoError(t, err)
			require.Equal(t, "decline null", res.Text())

			_, err = pool.Call(t.Context(), target, Call{Tool: "ask", Arguments: json.RawMessage(`{"then":"hang"}`), Ask: slow})
			require.ErrorIs(t, err, context.DeadlineExceeded)

			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			over := make(chan struct{})
			_, err = pool.Call(ctx, target, Call{Tool: "ask", Ask: func(context.Context, Question) (Answer, error) {
				<-over // or the tool's answer could still come first
				return Answer{Action: ActionDecline}, nil
			}})
			close(over)
			require.ErrorIs(t, err, context.DeadlineExceeded, "the caller's own deadline stands still for nobody")
			// go-sdk tells the server behind the caller's back, and a server that was not told waits for an answer even
			// when its session ends.
			require.Eventually(t, func() bool { return transport != "http" || remote.ended.Load() == 2 }, 10*time.Second, time.Millisecond)
		})
	}
}

// Nobody answers for another call: those that can be asked go one after the other, the rest does not wait for them.
func TestAskedOneAtATime(t *testing.T) {
	t.Parallel()
	for transport, target := range inquirers(t) {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			pool := newPool(t, Options{})
			var under, most atomic.Int32
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					want := i%2 == 0
					res, err := pool.Call(t.Context(), target, Call{Tool: "ask", Ask: func(context.Context, Question) (Answer, error) {
						most.Store(max(most.Load(), under.Add(1)))
						defer under.Add(-1)
						if _, err := call(t, pool, target, "echo", ""); err != nil {
							t.Error(err)
						}
						return Answer{Action: map[bool]string{true: ActionAccept, false: ActionDecline}[want]}, nil
					}})
					if err != nil || (res.Text()[:6] == "accept") != want {
						t.Error(res, err)
					}
				})
			}
			wg.Wait()
			require.EqualValues(t, 1, most.Load())
		})
	}
}

// Since 2026-07-28 the call ends with its questions and is made again.
func TestNeeds(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]Target{"stdio": childTarget("serve"), "http": newRemote(t, EraModern).target("")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := newPool(t, Options{})
			ask := func(context.Context, Question) (Answer, error) { return Answer{}, errors.New("not in mid-call") }
			res, err := pool.Call(t.Context(), target, Call{Tool: "ask", Ask: ask})
			require.NoError(t, err)
			require.NotNil(t, res.Needs)
			require.Equal(t, "state-1", res.Needs.State)
			q := res.Needs.Questions["sure"]
			require.Equal(t, "Sure?", q.Message)
			a, err := q.Accept(json.RawMessage(`{"sure":false}`))
			require.NoError(t, err)
			res, err = pool.Call(t.Context(), target, Call{Tool: "ask", Given: &Given{Answers: map[string]Answer{"sure": a}, State: res.Needs.State}})
			require.NoError(t, err)
			require.Nil(t, res.Needs)
			require.Equal(t, `accept {"sure":false}`, res.Text())

			_, err = pool.Call(t.Context(), target, Call{Tool: "ask", Given: &Given{Answers: map[string]Answer{"sure": {Action: "perhaps"}}}})
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, NotRun, e.Ran)
		})
	}
}

// A server of 2025-11-25 refuses a call until URLs were opened; the call is made again afterwards.
func TestURLsAreNeeded(t *testing.T) {
	t.Parallel()
	for _, era := range bothEras {
		r := newRemote(t, era)
		pool := newPool(t, Options{})
		res, err := call(t, pool, r.target(era), "needs-url", "")
		require.NoError(t, err)
		require.Equal(t, &Needs{Questions: map[string]Question{"url-1": {Mode: "url", Message: "Sign in", URL: "https://example.com/in"}}, Before: true}, res.Needs)
		res, err = pool.Call(t.Context(), r.target(era), Call{
			Tool: "needs-url", Arguments: json.RawMessage(`{"opened":"yes"}`), Given: &Given{Answers: map[string]Answer{"url-1": {Action: ActionAccept}}},
		})
		require.NoError(t, err)
		require.Equal(t, "welcome", res.Text())
	}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	form := Question{Mode: "form", Schema: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer","default":3},"s":{"type":"string"}},"required":["n"],"additionalProperties":false}`)}
	for name, tt := range map[string]struct {
		q    Question
		in   string
		want string // empty: refused
	}{
		"given":         {form, `{"n":12345678901234567890,"s":"x"}`, `{"n":12345678901234567890,"s":"x"}`},
		"default":       {form, `{"s":"x"}`, `{"n":3,"s":"x"}`},
		"nothing":       {form, ``, `{"n":3}`},
		"null is given": {form, `{"n":null}`, ``},
		"wrong type":    {form, `{"n":"three"}`, ``},
		"not asked for": {form, `{"n":1,"x":1}`, ``},
		"list":          {form, `[]`, ``},
		"null":          {form, `null`, ``},
		"no form":       {Question{Mode: "form"}, `{"x":1}`, `-`},
		"URL":           {Question{Mode: "url", URL: "https://x"}, ``, `-`},
	} {
		a, err := tt.q.Accept(json.RawMessage(tt.in))
		switch tt.want {
		case "":
			require.Error(t, err, name)
		case "-":
			require.NoError(t, err, name)
			require.Equal(t, Answer{Action: ActionAccept}, a, name)
		default:
			require.NoError(t, err, name)
			require.JSONEq(t, tt.want, string(a.Content), name)
		}
	}
}

func FuzzQuestion(f *testing.F) {
	f.Add([]byte(`{"mode":"form","message":"Who?","requestedSchema":{"type":"object","properties":{"a":{"default":1}}}}`))
	f.Add([]byte(`{"url":"https://x","mode":"url"}`))
	f.Add([]byte(`{"requestedSchema":{"allOf":[{"$ref":"#"}]}}`))
	f.Fuzz(func(t *testing.T, params []byte) {
		q, err := parseQuestion(params)
		if err != nil {
			return
		}
		require.Equal(t, q.Mode == "url", q.URL != "")
		a, err := q.Accept(nil)
		if err == nil {
			_, err = a.result()
			require.NoError(t, err)
		}
	})
}
