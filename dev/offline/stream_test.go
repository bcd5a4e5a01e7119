package offline_test

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"
)

// drain reads a stream to its end; every event must carry the next number.
func drain(t *testing.T, stream *ssestream.Stream[responses.ResponseStreamEventUnion], from int64) []responses.ResponseStreamEventUnion {
	t.Helper()
	var events []responses.ResponseStreamEventUnion
	for stream.Next() {
		require.Equal(t, from+int64(len(events)), stream.Current().SequenceNumber)
		events = append(events, stream.Current())
	}
	require.NoError(t, stream.Err())
	require.NoError(t, stream.Close())
	return events
}

// shape is the types of events, runs of deltas counted once.
func shape(events []responses.ResponseStreamEventUnion) string {
	var types []string
	for _, e := range events {
		if short := strings.TrimPrefix(e.Type, "response."); len(types) == 0 || types[len(types)-1] != short {
			types = append(types, short)
		}
	}
	return strings.Join(types, " ")
}

func TestStreamsTellTheSameAsTheResponse(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	const text = "output_item.added content_part.added output_text.delta output_text.done content_part.done output_item.done"
	for name, c := range map[string]struct{ instruction, want string }{
		"text":       {"Hello", "created in_progress " + text + " completed"},
		"incomplete": {"#sim: incomplete", "created in_progress " + text + " incomplete"},
		"refusal":    {"#sim: refuse", "created in_progress output_item.added content_part.added refusal.delta refusal.done content_part.done output_item.done completed"},
		"failed":     {"#sim: failed 99", "created in_progress failed"},
		"calls": {"#sim: parallel 2 tool search_emails", "created in_progress" +
			strings.Repeat(" output_item.added function_call_arguments.delta function_call_arguments.done output_item.done", 2) + " completed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			params := ask(c.instruction, mailTools()...)
			whole, err := llm.Responses.New(t.Context(), params)
			require.NoError(t, err)
			events := drain(t, llm.Responses.NewStreaming(t.Context(), params), 0)
			require.Equal(t, c.want, shape(events))
			last := events[len(events)-1]
			require.JSONEq(t, whole.RawJSON(), last.Response.RawJSON())

			var deltas, arguments strings.Builder
			for _, e := range events {
				switch e.Type {
				case "response.output_text.delta":
					deltas.WriteString(e.Delta)
				case "response.function_call_arguments.delta":
					arguments.WriteString(e.Delta)
				}
			}
			require.Equal(t, whole.OutputText(), deltas.String())
			want := ""
			for _, item := range whole.Output {
				want += item.AsFunctionCall().Arguments
			}
			require.Equal(t, want, arguments.String())
		})
	}
}

// clock is a time that a test moves.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return now().Add(time.Duration(c.offset.Load())) }
func (c *clock) forward(d time.Duration) { c.offset.Add(int64(d)) }

func TestBackgroundIsPolled(t *testing.T) {
	t.Parallel()
	var c clock
	llm := client(start(t, c.now))
	params := ask("Hello\n#sim: slow 20s")
	params.Background = param.NewOpt(true)
	queued, err := llm.Responses.New(t.Context(), params)
	require.NoError(t, err)
	require.Equal(t, responses.ResponseStatusQueued, queued.Status)
	require.Empty(t, queued.Output)
	c.forward(19 * time.Second)
	again, err := llm.Responses.New(t.Context(), params)
	require.NoError(t, err)
	require.Equal(t, queued.ID, again.ID, "a repeated request joins the first one")
	require.Equal(t, responses.ResponseStatusInProgress, again.Status)
	c.forward(time.Second)
	done, err := llm.Responses.Get(t.Context(), queued.ID, responses.ResponseGetParams{})
	require.NoError(t, err)
	require.Equal(t, responses.ResponseStatusCompleted, done.Status)
	require.NotEmpty(t, done.OutputText())
	require.True(t, done.Background)
	kept, err := llm.Responses.Cancel(t.Context(), queued.ID)
	require.NoError(t, err)
	require.Equal(t, responses.ResponseStatusCompleted, kept.Status, "what is finished stays finished")
}

func TestBackgroundIsCancelled(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	params := ask("Hello\n#sim: slow 10m")
	params.Background = param.NewOpt(true)
	stream := llm.Responses.NewStreaming(t.Context(), params)
	require.True(t, stream.Next())
	id := stream.Current().Response.ID
	cancelled, err := llm.Responses.Cancel(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, responses.ResponseStatusCancelled, cancelled.Status)
	rest := drain(t, stream, 1)
	require.Equal(t, "queued in_progress", shape(rest), "no last event")
	got, err := llm.Responses.Get(t.Context(), id, responses.ResponseGetParams{})
	require.NoError(t, err)
	require.Equal(t, responses.ResponseStatusCancelled, got.Status)
	fresh, err := llm.Responses.New(t.Context(), params)
	require.NoError(t, err)
	require.Equal(t, responses.ResponseStatusQueued, fresh.Status, "a cancelled request may be sent again")
}

func TestForegroundCannotBeCancelled(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	params := ask("Hello")
	params.Store = param.NewOpt(true)
	got, err := llm.Responses.New(t.Context(), params)
	require.NoError(t, err)
	_, err = llm.Responses.Cancel(t.Context(), got.ID)
	require.Equal(t, 400, apiError(t, err).StatusCode)
}

func TestStreamIsResumed(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	params := ask("Hello\n#sim: slow 30ms")
	params.Background = param.NewOpt(true)
	all := drain(t, llm.Responses.NewStreaming(t.Context(), params), 0)
	require.Equal(t, "created queued in_progress", shape(all[:3]))
	for after := range all {
		rest := drain(t, llm.Responses.GetStreaming(t.Context(), all[0].Response.ID,
			responses.ResponseGetParams{StartingAfter: param.NewOpt(int64(after))}, option.WithQuery("stream", "true")), int64(after)+1)
		require.Len(t, rest, len(all)-after-1)
		for i, e := range rest {
			require.Equal(t, all[after+1+i].RawJSON(), e.RawJSON(), strconv.Itoa(after))
		}
	}
}

func TestSlowAnswerEndsWithItsClient(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := llm.Responses.New(ctx, ask("Hello\n#sim: slow 10m"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
