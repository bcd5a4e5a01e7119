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
	open := newRounds()
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
	_, err := newRounds().begin(t.Context(), asked("alice"), func(context.Context, asking, func(mcpclient.Progress)) (*tool.Done, error) {
		panic("burst")
	})
	require.ErrorContains(t, err, "panic in a tool call")
	require.Equal(t, "internal error", fault.Text(err))
}

func TestRoundsEndWithTheirRequest(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	_, err := newRounds().begin(ctx, asked("alice"), func(ctx context.Context, _ asking, _ func(mcpclient.Progress)) (*tool.Done, error) {
		cancel()
		<-ctx.Done()
		close(over)
		return nil, ctx.Err()
	})
	require.ErrorIs(t, err, context.Canceled)
	<-over
}
