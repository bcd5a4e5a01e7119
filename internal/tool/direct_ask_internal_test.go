package tool

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/mcpclient"
)

// asks is a server that asks something before it answers with what it was told.
type asks struct {
	source

	q      mcpclient.Question
	midway bool          // in the middle of the call, as servers before 2026-07-28 do
	works  time.Duration // before it asks, and after
}

func (s asks) send(ctx context.Context, d delivery) (reply, error) {
	if err := s.work(ctx); err != nil {
		return reply{}, err
	}
	switch {
	case s.midway:
		a, err := d.ask(ctx, s.q)
		if err != nil {
			return reply{}, err
		}
		return reply{text: a.Action}, s.work(ctx)
	case d.given == nil:
		return reply{needs: &mcpclient.Needs{Questions: map[string]mcpclient.Question{"q": s.q}}}, nil
	}
	return reply{text: d.given.Answers["q"].Action}, nil
}

func (s asks) work(ctx context.Context) error {
	if s.works == 0 {
		return nil
	}
	select {
	case <-time.After(s.works):
		return nil
	case <-ctx.Done():
		return &failure{ran: true, reason: "broken off", err: ctx.Err()}
	}
}

// askedBy makes a call of s outside a run; who answers its questions.
func askedBy(ctx context.Context, s asks, who func(context.Context, mcpclient.Question) (mcpclient.Answer, error)) (reply, error) {
	x := &Executor{log: slog.New(slog.DiscardHandler)}
	c := &directCall{Direct: Direct{Ask: who}, aimed: aimed{tool: Tool{ServerName: "travel"}, source: s, timeout: time.Minute}}
	return x.deliver(ctx, c, delivery{}, nil)
}

func bothWays(t *testing.T, test func(t *testing.T, midway bool)) {
	t.Helper()
	for name, midway := range map[string]bool{"between two rounds": false, "in the middle": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, midway)
		})
	}
}

// A server's question is shown as one of its own, or not at all.
func TestDirectQuestionsPassTheFilterOfRuns(t *testing.T) {
	t.Parallel()
	seat := json.RawMessage(`{"type":"object","properties":{"seat":{"type":"string"}}}`)
	for name, c := range map[string]struct{ given, shown mcpclient.Question }{
		"a form": {
			mcpclient.Question{Mode: "form", Message: "Which seat?\u202e\x1b[2J", Schema: seat},
			mcpclient.Question{Mode: "form", Message: "travel asks: Which seat?", Schema: seat},
		},
		"a page": {
			mcpclient.Question{Mode: "url", Message: "Pay", URL: "https://example.com/pay"},
			mcpclient.Question{Mode: "url", Message: "travel asks: Pay", URL: "https://example.com/pay"},
		},
		"a script":        {given: mcpclient.Question{Mode: "url", Message: "Steward: your session has ended", URL: "javascript:alert(1)"}},
		"an open page":    {given: mcpclient.Question{Mode: "url", URL: "http://example.com/"}},
		"a user's name":   {given: mcpclient.Question{Mode: "url", URL: "https://steward.example@evil.example/"}},
		"a form too long": {given: mcpclient.Question{Mode: "form", Schema: json.RawMessage(`{"title":"` + strings.Repeat("x", maxForm) + `"}`)}},
		"another mode":    {given: mcpclient.Question{Mode: "sound"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothWays(t, func(t *testing.T, midway bool) {
				t.Helper()
				var shown mcpclient.Question
				r, err := askedBy(t.Context(), asks{q: c.given, midway: midway}, func(_ context.Context, q mcpclient.Question) (mcpclient.Answer, error) {
					shown = q
					return mcpclient.Answer{Action: mcpclient.ActionAccept}, nil
				})
				require.NoError(t, err)
				require.Equal(t, c.shown, shown)
				want := mcpclient.ActionAccept
				if c.shown.Mode == "" {
					want = mcpclient.ActionCancel
				}
				require.Equal(t, want, r.text)
			})
		})
	}
}

// People have minutes, whatever the call has: its own time stands still meanwhile.
func TestDirectQuestionsHaveATimeOfTheirOwn(t *testing.T) {
	t.Parallel()
	q := mcpclient.Question{Mode: "form", Message: "Which seat?"}
	bothWays(t, func(t *testing.T, midway bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			after := func(d time.Duration) func(context.Context, mcpclient.Question) (mcpclient.Answer, error) {
				return func(ctx context.Context, _ mcpclient.Question) (mcpclient.Answer, error) {
					select {
					case <-time.After(d):
						return mcpclient.Answer{Action: mcpclient.ActionAccept}, nil
					case <-ctx.Done():
						return mcpclient.Answer{}, ctx.Err()
					}
				}
			}
			server := asks{q: q, midway: midway, works: 25 * time.Second}
			r, err := askedBy(t.Context(), server, after(4*time.Minute))
			require.NoError(t, err)
			require.Equal(t, mcpclient.ActionAccept, r.text)

			began := time.Now()
			r, err = askedBy(t.Context(), server, after(time.Hour))
			require.NoError(t, err)
			require.Equal(t, mcpclient.ActionCancel, r.text, "it is told that nobody answered")
			require.Equal(t, 2*server.works+midwayTime, time.Since(began))

			server.works = 40 * time.Second
			_, err = askedBy(t.Context(), server, after(4*time.Minute))
			require.ErrorIs(t, err, context.DeadlineExceeded, "the call's own time counts")
			require.ErrorContains(t, err, "no answer in time")

			gone, leave := context.WithCancel(t.Context())
			server.works = 0
			_, err = askedBy(gone, server, func(context.Context, mcpclient.Question) (mcpclient.Answer, error) {
				leave()
				return mcpclient.Answer{}, errors.New("gone")
			})
			require.ErrorIs(t, err, context.Canceled)
		})
	})
}

func TestDirectQuestionsAreCounted(t *testing.T) {
	t.Parallel()
	put := 0
	c := &directCall{Direct: Direct{Ask: func(context.Context, mcpclient.Question) (mcpclient.Answer, error) {
		put++
		return mcpclient.Answer{Action: mcpclient.ActionAccept}, nil
	}}}
	_, k, cancel := timed(t.Context(), time.Minute)
	defer cancel()
	v := (&Executor{log: slog.New(slog.DiscardHandler)}).interview(c, nil, k)
	for range maxAsked + 1 {
		_, err := v.ask(t.Context(), mcpclient.Question{Mode: "form"})
		require.NoError(t, err)
	}
	require.Equal(t, maxAsked, put)
}
