package drive_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/google"
	"steward/internal/automation"
	"steward/internal/connector/google/googletest"
	"steward/internal/oauth"
)

const report = `{"name":"report.md","content":"# Report","type":"text/markdown"}`

// What an attempt leaves behind at each point of its way, what the probe says of it, and that there is one file in the
// end.
func TestFileIsMadeOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		tool    string
		kind    google.Kind
		fault   google.Fault
		ran     bool
		outcome automation.Outcome
	}{
		{"there is no id", create, google.FileIDs, google.Fault{Status: 500}, false, automation.OutcomeFailed},
		{"the id is lost", create, google.FileIDs, google.Fault{Cut: true}, false, automation.OutcomeFailed},
		{"it was not made", create, google.FileCreate, google.Fault{Lost: true}, true, automation.OutcomeFailed},
		{"it was made, the answer is lost", create, google.FileCreate, google.Fault{Cut: true}, true, automation.OutcomeDone},
		{"Google failed", create, google.FileCreate, google.Fault{Status: 503}, true, automation.OutcomeFailed},
		{"asked to wait", create, google.FileCreate, google.Fault{Status: 429}, false, automation.OutcomeFailed},
		{"a folder was made, the answer is lost", mkdir, google.FileCreate, google.Fault{Cut: true}, true, automation.OutcomeDone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			a.Inject(tt.kind, 1, tt.fault)
			call := googletest.NewAttempt(report)
			if tt.tool == mkdir {
				call = googletest.NewAttempt(`{"name":"Reports"}`)
			}
			require.Equal(t, automation.OutcomeFailed, a.Probe(tt.tool, call), "nothing was noted: nothing was made")
			e := googletest.Failure(t, a.Call(tt.tool, call, &file{}))
			require.Equal(t, []bool{tt.ran, false}, []bool{e.Ran, e.Answered})
			call.Ages()
			require.Equal(t, tt.outcome, a.Probe(tt.tool, call))
			again := call.Again()
			var got file
			require.NoError(t, a.Call(tt.tool, again, &got))
			require.Equal(t, again.Mark(), got.ID)
			require.Equal(t, automation.OutcomeDone, a.Probe(tt.tool, again))
			require.Len(t, a.names("DRIVE_LIST_FILES", `{}`), 1)
		})
	}
}

// The probe does not say of a request that is under way that nothing was done: a caller who is told so may make another
// call, and then there would be two files.
func TestProbeAwaitsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	a.Inject(google.FileCreate, 1, google.Fault{Arrived: arrived, Before: release})
	call, tool := googletest.NewAttempt(report), a.Tool(create)
	done, asked := make(chan error, 1), make(chan automation.Outcome, 1)
	go func() {
		_, err := tool.Call(t.Context(), a.Session.Session, call.Call())
		done <- err
	}()
	<-arrived
	go func() { asked <- a.Probe(create, call) }()
	require.Eventually(t, func() bool { return a.Count(google.FileGet) > 1 }, 10*time.Second, 20*time.Millisecond)
	close(release)
	require.NoError(t, <-done)
	require.Equal(t, automation.OutcomeDone, <-asked)
	require.Equal(t, []string{"report.md"}, a.names("DRIVE_LIST_FILES", `{}`))
}

func TestReceiptWithoutATimeIsRead(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	call := googletest.NewAttempt(report)
	require.NoError(t, a.Call(create, call, &file{}))
	call.SetReceipt(call.Mark())
	require.Equal(t, automation.OutcomeDone, a.Probe(create, call))
	again := call.Again()
	require.NoError(t, a.Call(create, again, &file{}))
	require.Equal(t, 1, a.Count(google.FileIDs), "the same id")
}

// A request that was under way while its sender was given up arrives after the file was made again: by the same call,
// when it seemed that nothing could be under way any more.
func TestRequestThatArrivesLateMakesNoSecondFile(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	a.Inject(google.FileCreate, 1, google.Fault{Arrived: arrived, Before: release})
	call, tool := googletest.NewAttempt(report), a.Tool(create)
	done := make(chan error, 1)
	go func() {
		_, err := tool.Call(t.Context(), a.Session.Session, call.Call())
		done <- err
	}()
	<-arrived
	call.Ages()
	require.Equal(t, automation.OutcomeFailed, a.Probe(create, call))
	require.NoError(t, a.Call(create, call.Again(), &file{}))
	close(release)
	require.NoError(t, <-done, "the file stands: that it was another attempt makes no difference")
	require.Equal(t, []string{"report.md"}, a.names("DRIVE_LIST_FILES", `{}`))
}

func TestIDThatIsTakenIsOurs(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	call := googletest.NewAttempt(report)
	var first, second file
	require.NoError(t, a.Call(create, call, &first))
	require.NoError(t, a.Call(create, call.Again(), &second))
	require.Equal(t, first, second)
	a.Inject(google.FileGet, 1, google.Fault{Status: 503})
	require.True(t, googletest.Failure(t, a.Call(create, call.Again(), &second)).Ran, "it is there, and what it is cannot be said")
	a.Inject(google.FileGet, 1, google.Fault{Status: http.StatusNotFound, Reason: "notFound"})
	require.NoError(t, a.Call(create, call.Again(), &second), "a person has deleted it for good: it was made all the same")
	require.Equal(t, first.ID, second.ID)
	require.Equal(t, []int{1, 4}, []int{a.Count(google.FileIDs), a.Count(google.FileCreate)})
}

func TestStaleAttemptMakesNothing(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	lost := errors.New("another attempt has this call")
	call := googletest.NewAttempt(report)
	call.Note = func(context.Context, string) error { return lost }
	err := a.Call(create, call, &file{})
	require.ErrorIs(t, err, lost)
	require.False(t, googletest.Failure(t, err).Ran)
	require.Zero(t, a.Count(google.FileCreate))
}

func TestProbeWithoutAnAnswerSaysSo(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	call := googletest.NewAttempt(report)
	require.NoError(t, a.Call(create, call, &file{}))
	a.Inject(google.FileGet, 9, google.Fault{Status: 503})
	found, err := a.Tool(create).Probe(t.Context(), a.Session.Session, call.Call())
	require.Error(t, err)
	require.Equal(t, automation.OutcomeUnknown, found.Outcome)
}

func TestErrorsAskForTheScopeOfTheTool(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.Inject(google.FileIDs, 1, google.Fault{Status: 403, Reason: "insufficientPermissions"})
	e := googletest.Failure(t, a.Call(create, googletest.NewAttempt(report), &file{}))
	need := &oauth.ConsentError{}
	require.ErrorAs(t, e, &need)
	require.Equal(t, "https://www.googleapis.com/auth/drive.file", need.Scopes[0], "the least that suffices")
	require.False(t, e.Ran || e.Answered)
}

func TestWhatIsNoFileIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for arguments, reason := range map[string]string{
		`{"name":"x","content":"x","content_base64":"eA=="}`:                       "content, content_base64: only one of them can be given",
		`{"name":"x","content_base64":"%"}`:                                        "content_base64: it is not base64 (RFC 4648 section 4)",
		`{"name":"x","content":"x","type":"application/vnd.google-apps.document"}`: "type: Google's own documents cannot be made of content",
	} {
		e := googletest.Failure(t, a.Call(create, googletest.NewAttempt(arguments), &file{}))
		require.True(t, e.Answered)
		require.Equal(t, reason, e.Reason)
	}
	require.Zero(t, a.Count(google.FileIDs))
}
