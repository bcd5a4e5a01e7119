package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const good = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"noise\n"}
{"Action":"pass","Package":"p","Test":"TestA/one","Elapsed":0}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0}
{"Action":"output","Package":"p","Output":"ok\n"}
{"Action":"pass","Package":"p","Elapsed":0.25}
{"Action":"skip","Package":"no/tests","Elapsed":0}
`

func TestTotals(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		stream string
		want   []string // lines of the screen that must be there, in order
		absent string
		good   bool
	}{
		"all pass": {good, []string{"ok   p  2 passed  0.2s", "2 passed, 0 failed"}, "noise", true},
		"a test fails": {
			good + `{"Action":"output","Package":"q","Test":"TestB","Output":"why\n"}
{"Action":"fail","Package":"q","Test":"TestB"}
{"Action":"pass","Package":"q","Test":"TestC"}
{"Action":"fail","Package":"q","Elapsed":1}
`,
			[]string{"ok   p  2 passed  0.2s", "why", "FAIL q  1 passed, 1 failed, 0 skipped  1.0s", "3 passed, 1 failed"},
			"noise", false,
		},
		"a build fails": {
			good + `{"ImportPath":"q [q.test]","Action":"build-output","Output":"q.go:1: syntax\n"}
{"ImportPath":"q [q.test]","Action":"build-fail"}
{"Action":"start","Package":"q"}
{"Action":"fail","Package":"q","Elapsed":0,"FailedBuild":"q [q.test]"}
`,
			[]string{"q.go:1: syntax", "FAIL q  0 passed, 1 failed, 0 skipped  0.0s", "2 passed, 1 failed"},
			"noise", false,
		},
		"a test is skipped": {
			`{"Action":"skip","Package":"q","Test":"TestB"}
{"Action":"pass","Package":"q","Elapsed":0}
` + good,
			[]string{"FAIL q  0 passed, 0 failed, 1 skipped  0.0s", "2 passed, 1 failed"},
			"", false,
		},
		"a package never ends": {
			good + `{"Action":"run","Package":"q","Test":"TestB"}` + "\n",
			[]string{"FAIL q  0 passed, 1 failed, 0 skipped  0.0s", "2 passed, 1 failed"},
			"", false,
		},
		"something else speaks": {"go: warning\n" + good, []string{"go: warning", "2 passed, 0 failed"}, "", true},
		"nothing ran":           {"", []string{"0 passed, 0 failed"}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var screen bytes.Buffer
			total := newTally(&screen)
			require.NoError(t, total.follow(strings.NewReader(tt.stream), time.Hour))
			require.Equal(t, tt.good, total.close(), screen.String())
			rest := screen.String()
			for _, line := range tt.want {
				_, after, found := strings.Cut("\n"+rest, "\n"+line+"\n")
				require.True(t, found, "%q is not in %q", line, rest)
				rest = after
			}
			require.Empty(t, rest, "the totals come last")
			if tt.absent != "" {
				require.NotContains(t, screen.String(), tt.absent)
			}
		})
	}
}

func TestSilenceIsBroken(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	said := make(chan string, 1)
	total := newTally(writer(func(text string) {
		select {
		case said <- text:
		default:
		}
	}))
	go func() { _, _ = io.WriteString(out, `{"Action":"start","Package":"slow"}`+"\n") }()
	done := make(chan error, 1)
	go func() { done <- total.follow(in, time.Millisecond) }()
	require.Equal(t, "…    still running: slow\n", <-said)
	require.NoError(t, out.Close())
	require.NoError(t, <-done)
}

type writer func(string)

func (w writer) Write(p []byte) (int, error) {
	w(string(p))
	return len(p), nil
}
