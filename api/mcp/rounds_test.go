package mcp

import (
	"context"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/tool"
)

func asked(user string) *call {
	meta := sdk.Meta{sdk.MetaKeyClientCapabilities: map[string]any{"elicitation": map[string]any{"form": map[string]any{}}}}
	return &call{
		caller:  auth.Principal{Owner: user, Actor: user},
		request: &sdk.CallToolRequest{Params: &sdk.CallToolParamsRaw{Name: "call_tool", Meta: meta}},
	}
}

func TestRoundsAreCounted(t *testing.T) {
	t.Parallel()
	open := newRounds(nil)
	over := make(chan error, mostOpen+1)
	asks := func(ctx context.Context, ask asking, _ func(mcpclient.Progress)) (*tool.Done, error) {
		_, err := ask(ctx, mcpclient.Question{Mode: "form", Message: "Which seat?"})
		over <- err
		return &tool.Done{}, err
	}
	for range mostOpen {
		_, err := open.begin(t.Context(), asked("alice"), asks)
		var question *questions
		require.ErrorAs(t, err, &question)
	}
	_, err := open.begin(t.Context(), asked("alice"), asks)
	require.True(t, fault.Is(err, fault.Exhausted), "%v", err)
	require.ErrorIs(t, <-over, context.Canceled, "what cannot be asked ends")
	_, err = open.begin(t.Context(), asked("bob"), asks)
	var question *questions
	require.ErrorAs(t, err, &question)
}

func TestRoundsOutliveAPanic(t *testing.T) {
	t.Parallel()
	_, err := newRounds(nil).begin(t.Context(), asked("alice"), func(context.Context, asking, func(mcpclient.Progress)) (*tool.Done, error) {
		panic("burst")
	})
	require.ErrorContains(t, err, "panic in a tool call")
	require.Equal(t, "internal error", fault.Text(err))
}

func TestRoundsEndWithTheirRequest(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	_, err := newRounds(nil).begin(ctx, asked("alice"), func(ctx context.Context, _ asking, _ func(mcpclient.Progress)) (*tool.Done, error) {
		cancel()
		<-ctx.Done()
		close(over)
		return nil, ctx.Err()
	})
	require.ErrorIs(t, err, context.Canceled)
	<-over
}

// again is a request that comes with a state, from a client whose user accepts.
func again(state string) *call {
	c := asked("alice")
	c.request.Params.RequestState = state
	c.request.Params.InputResponses = sdk.InputResponseMap{answerKey: &sdk.ElicitResult{Action: "accept"}}
	return c
}

// first begins a call and returns the state of its first question.
func first(t *testing.T, s *rounds, send sending) string {
	t.Helper()
	_, err := s.begin(t.Context(), asked("alice"), send)
	var question *questions
	require.ErrorAs(t, err, &question)
	return question.state
}

// Who comes again with a state is told what became of the call, and never to make it again where it may have taken
// effect.
func TestRoundsAreToldAgain(t *testing.T) {
	t.Parallel()
	ledger := map[string]tool.Ledger{"call_kept": {Done: &tool.Done{CallID: "call_kept", Text: "booked", Replayed: true}}}
	s := newRounds(func(_ context.Context, owner, id string) (tool.Ledger, error) {
		require.Equal(t, "alice", owner)
		if kept, ok := ledger[id]; ok {
			return kept, nil
		}
		return tool.Ledger{}, fault.New(fault.NotFound, "no such tool call")
	})
	for id, code := range map[string]string{"call_kept": "", "call_read": "request_state"} {
		state := first(t, s, func(ctx context.Context, ask asking, _ func(mcpclient.Progress)) (*tool.Done, error) {
			a, err := ask(ctx, mcpclient.Question{Mode: "form"})
			return &tool.Done{CallID: id, Text: a.Action}, err
		})
		done, err := s.resume(t.Context(), again(state))
		require.NoError(t, err)
		require.Equal(t, "accept", done.Text)
		for range 2 {
			done, err = s.resume(t.Context(), again(state))
			if code != "" {
				require.Equal(t, code, fault.CodeOf(err))
				require.Contains(t, fault.Text(err), "changes nothing")
				continue
			}
			require.NoError(t, err)
			require.Equal(t, "booked", done.Text)
		}
	}
	_, err := s.resume(t.Context(), again("never-given"))
	require.ErrorIs(t, err, errNoRound)
	require.Contains(t, fault.Text(err), "look whether the call took effect")
}

func TestRoundsTellOfALostConnection(t *testing.T) {
	t.Parallel()
	s := newRounds(nil)
	lost := &tool.UnknownError{CallID: "call_1", Fault: fault.New(fault.Upstream, "not known; its id is call_1").WithCode(tool.CodeOutcomeUnknown)}
	answered := make(chan struct{})
	state := first(t, s, func(ctx context.Context, ask asking, _ func(mcpclient.Progress)) (*tool.Done, error) {
		if _, err := ask(ctx, mcpclient.Question{Mode: "form"}); err != nil {
			return nil, err
		}
		close(answered)
		<-ctx.Done()
		return nil, lost
	})
	ctx, cut := context.WithCancel(t.Context())
	go func() {
		<-answered
		cut()
	}()
	_, err := s.resume(ctx, again(state))
	require.ErrorIs(t, err, context.Canceled)
	for range 2 {
		_, err = s.resume(t.Context(), again(state))
		require.ErrorIs(t, err, lost)
	}
}

// A client that did not hear the next question hears it again.
func TestRoundsAskAgain(t *testing.T) {
	t.Parallel()
	s := newRounds(nil)
	state := first(t, s, func(ctx context.Context, ask asking, _ func(mcpclient.Progress)) (*tool.Done, error) {
		for range 2 {
			if _, err := ask(ctx, mcpclient.Question{Mode: "form"}); err != nil {
				return nil, err
			}
		}
		return &tool.Done{Text: "both"}, nil
	})
	var second, heard *questions
	_, err := s.resume(t.Context(), again(state))
	require.ErrorAs(t, err, &second)
	_, err = s.resume(t.Context(), again(state))
	require.ErrorAs(t, err, &heard)
	require.Equal(t, second.state, heard.state)
	done, err := s.resume(t.Context(), again(second.state))
	require.NoError(t, err)
	require.Equal(t, "both", done.Text)
}

// A question that nobody answered in time is closed, and the call goes on without its answer.
func TestRoundsOutliveTheirQuestion(t *testing.T) {
	t.Parallel()
	s := newRounds(nil)
	impatient, late := context.WithCancel(t.Context())
	over := make(chan struct{})
	state := first(t, s, func(_ context.Context, ask asking, _ func(mcpclient.Progress)) (*tool.Done, error) {
		defer close(over)
		_, err := ask(impatient, mcpclient.Question{Mode: "form"})
		require.ErrorIs(t, err, context.Canceled)
		return &tool.Done{Text: "without"}, nil
	})
	late()
	<-over
	done, err := s.resume(t.Context(), again(state))
	require.NoError(t, err)
	require.Equal(t, "without", done.Text)
}

// What is known of calls that are over is bounded.
func TestRoundsForget(t *testing.T) {
	t.Parallel()
	s := newRounds(nil)
	for range mostKnown + 3 {
		state := first(t, s, func(ctx context.Context, ask asking, _ func(mcpclient.Progress)) (*tool.Done, error) {
			_, err := ask(ctx, mcpclient.Question{Mode: "form"})
			return &tool.Done{}, err
		})
		_, err := s.resume(t.Context(), again(state))
		require.NoError(t, err)
	}
	require.Len(t, s.states, mostKnown)
}
