package activities

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"steward/internal/automation"
	"steward/internal/llm"
	"steward/internal/store"
)

// A stream that stands still in the middle is told of while it does, and the turn comes to its end all the same.
func TestStreamIsToldToFollowers(t *testing.T) {
	t.Parallel()
	read := make(chan struct{}) // somebody has seen it
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprint(w, `data: {"type":"response.output_item.added","item":{"type":"message"}}`+"\n\n"+
			`data: {"type":"response.output_text.delta","delta":"canary text"}`+"\n\n")
		w.(http.Flusher).Flush()
		select {
		case <-read:
			text("two mails").write(w, "resp_1", true)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(model.Close)
	g := newRig(t, newProvider(t), options{features: "stream", baseURL: model.URL + "/v1"})
	chain := automation.AuditChain(g.run.ID)
	require.NoError(t, g.db.FollowAudit(t.Context(), store.FollowAuditParams{Chain: chain, Follower: "me", Ttl: time.Minute}))
	conn, err := g.db.Pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), "LISTEN steward_progress")
	require.NoError(t, err)

	ended := make(chan error, 1)
	var out automation.PlanResult
	go func() {
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		env.RegisterActivity(g.worker)
		result, err := env.ExecuteActivity(g.worker.PlanStep, automation.PlanInput{RunID: g.run.ID, Step: 1, Seq: 2})
		if err == nil {
			err = result.Get(&out)
		}
		ended <- err
	}()
	var now automation.Progress
	for now.Doing != "writing" || now.Characters == 0 {
		n, err := conn.Conn().WaitForNotification(t.Context())
		require.NoError(t, err)
		doc, ok := strings.CutPrefix(n.Payload, chain+" ")
		require.True(t, ok, n.Payload)
		require.NotContains(t, doc, "canary")
		require.NoError(t, json.Unmarshal([]byte(doc), &now))
	}
	require.Equal(t, automation.Progress{Step: 1, Doing: "writing", Item: "message", Characters: len("canary text")}, now)
	close(read)
	require.NoError(t, <-ended)
	require.Equal(t, automation.Success, out.Final.State)
}

func TestOnlyFollowersAreTold(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, text("hello")), options{})
	now := automation.Progress{Step: 1, Doing: "waiting"}
	require.False(t, g.worker.tell(t.Context(), g.run.ID, now))
	chain := automation.AuditChain(g.run.ID)
	require.NoError(t, g.db.FollowAudit(t.Context(), store.FollowAuditParams{Chain: chain, Follower: "me", Ttl: time.Minute}))
	require.True(t, g.worker.tell(t.Context(), g.run.ID, now))
	g.db.Close()
	require.False(t, g.worker.tell(t.Context(), g.run.ID, now), "nothing fails with it")
}

// The words are ours: what a provider calls its events and items does not go out.
func TestProgressShown(t *testing.T) {
	t.Parallel()
	p := &progress{now: Doing{What: "preparing"}}
	var told []automation.Progress
	show := func() {
		if now, ok := p.shown(3); ok {
			told = append(told, now)
		}
	}
	show()
	for _, status := range []string{"queued", "in_progress", "compacting", "waiting for the answer"} {
		p.say(status)
		show()
	}
	for _, s := range []llm.Progress{
		{Event: "response.created"},
		{Event: "response.output_item.added", Item: "reasoning"},
		{Event: "response.reasoning_summary_text.delta", OutputChars: 5},
		{Event: "response.output_item.added", Item: "message", OutputChars: 5},
		{Event: "canary.delta", OutputChars: 9},
		{Event: "response.output_item.added", Item: "canary", OutputChars: 9},
		{Event: "response.completed", OutputChars: 9},
	} {
		p.stream(s)
		show()
	}
	require.Equal(t, []automation.Progress{
		{Step: 3, Doing: "preparing"},
		{Step: 3, Doing: "queued"},
		{Step: 3, Doing: "working"},
		{Step: 3, Doing: "compacting"},
		{Step: 3, Doing: "waiting"},
		{Step: 3, Doing: "waiting"},
		{Step: 3, Doing: "thinking", Item: "reasoning"},
		{Step: 3, Doing: "thinking", Item: "reasoning", Characters: 5},
		{Step: 3, Doing: "writing", Item: "message", Characters: 5},
		{Step: 3, Doing: "writing", Item: "message", Characters: 9},
		{Step: 3, Doing: "writing", Characters: 9},
	}, told)
}
