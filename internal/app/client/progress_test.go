package client

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/internal/automation"
)

func TestProgressInWords(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]automation.Progress{
		"preparing":                                      {Doing: "preparing"},
		"waits for the model":                            {Doing: "waiting"},
		"the model is working":                           {Doing: "working"},
		"the model is thinking":                          {Doing: "thinking", Item: "reasoning"},
		"the model is writing, 3 characters":             {Doing: "writing", Characters: 3},
		"the model is writing its answer, 12 characters": {Doing: "writing", Item: "message", Characters: 12},
		"the model is writing a call":                    {Doing: "writing", Item: "function_call"},
		"the model is something new":                     {Doing: "something new", Item: "odd"},
	} {
		require.Equal(t, want, doing(p))
	}
}

// screen is what a terminal shows of a text: a carriage return goes back, and what follows writes over.
func screen(text string) (lines []string) {
	for l := range strings.SplitSeq(text, "\n") {
		var row []rune
		at := 0
		for _, c := range l {
			if c == '\r' {
				at = 0
				continue
			}
			row = append(row[:at], append([]rune{c}, row[min(at+1, len(row)):]...)...)
			at++
		}
		lines = append(lines, strings.TrimRight(string(row), " "))
	}
	return lines
}

func TestProgressIsOneLineOfATerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	timeline := &Timeline{w: &out, live: true}
	called := api.RunEvent{At: time.Date(2026, 11, 20, 9, 30, 1, 204e6, time.Local), Kind: "model.called", Body: []byte(`{"step":1,"model":"m"}`)}
	require.NoError(t, timeline.Add(called))
	first := "09:30:01.204  step 1   asks m"
	for _, p := range []struct {
		now  automation.Progress
		want string
	}{
		{automation.Progress{Step: 1, Doing: "writing", Item: "message", Characters: 1200}, "              step 1   the model is writing its answer, 1200 characters"},
		{automation.Progress{Step: 1, Doing: "waiting"}, "              step 1   waits for the model"},
		{automation.Progress{Step: 1, Doing: "\x1b[2Jodd\n" + strings.Repeat("x", 1000)}, "              step 1   the model is odd " + strings.Repeat("x", longestProgress-len("the model is odd "))},
	} {
		require.NoError(t, timeline.Tell(p.now))
		shown := screen(out.String())
		require.Equal(t, []string{first, p.want}, shown)
		require.Less(t, len(shown[1]), 80)
	}
	require.NoError(t, timeline.note("more"))
	require.NoError(t, timeline.Tell(automation.Progress{Step: 1, Doing: "writing"}))
	require.NoError(t, timeline.Add(called))
	require.NoError(t, timeline.Tell(automation.Progress{Step: 1, Doing: "writing"}))
	require.NoError(t, timeline.erase())
	require.Equal(t, []string{first, "                       more", first, ""}, screen(out.String()))
}

// What is no terminal gets the lines that stay, and no other.
func TestFollowKeepsProgressOutOfFiles(t *testing.T) {
	t.Parallel()
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasSuffix(r.URL.Path, "/events"):
			_, _ = fmt.Fprint(w, `{"state":"success","output":{"text":"done"}}`)
		case r.Header.Get("Last-Event-ID") == "0":
			_, _ = fmt.Fprint(w, "event: progress\ndata: {\"step\":1,\"doing\":\"writing\"}\n\n")
			event(w, 1)
			_, _ = fmt.Fprint(w, "event: progress\ndata: {\"step\":1,\"doing\":\"thinking\"}\n\n")
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	_, err = c.Follow(t.Context(), 1, file, true)
	require.NoError(t, err)
	text, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	require.Contains(t, string(text), "done\n")
	require.NotContains(t, string(text), "\r")
	require.NotContains(t, string(text), "the model is")

	var told []string
	require.NoError(t, c.Events(t.Context(), 1, func(e api.RunEvent) error {
		told = append(told, e.Kind)
		return nil
	}, func(p automation.Progress) error {
		told = append(told, p.Doing)
		return nil
	}))
	require.Equal(t, []string{"writing", "run.state", "thinking"}, told)
}
