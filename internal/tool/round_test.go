package tool_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
	"steward/internal/tool"
)

// rounds asks the questions of each round in turn, and then says yes.
func rounds(questions ...string) func(*partner, ask) string {
	return func(p *partner, _ ask) string {
		if n := p.count("tools/call"); n <= len(questions) {
			return fmt.Sprintf(`{"resultType":"input_required","inputRequests":{%s},"requestState":"state-%d"}`, questions[n-1], n)
		}
		return booked
	}
}

func TestServerAsksInRounds(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"book", "look"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPartner(t, rounds(seat("ann")+","+seat("bob"), seat("cy")))
			c := p.begin(name)
			out, err := p.attempt(c, 1, "", "")
			require.NoError(t, err)
			require.Equal(t, automation.CallWaiting, out.State)
			require.NotEmpty(t, out.Decision)
			require.Equal(t, "waiting_for_decision", p.state())
			in := p.question(c)
			require.Equal(t, "Which seat, ann?", in.Message)
			require.Equal(t, tool.ModeForm, in.Mode)

			again, err := p.attempt(c, 1, "", "") // the worker died before it could say so
			require.NoError(t, err)
			require.Equal(t, out, again)
			require.Equal(t, 1, p.count("tools/call"))

			first := p.says(c, automation.Answer, `{"seat":"1A"}`)
			out, err = p.attempt(c, 2, first, automation.Answer)
			require.NoError(t, err)
			require.NotEqual(t, first, out.Decision, "one question at a time")
			require.Equal(t, "Which seat, bob?", p.question(c).Message)
			require.Equal(t, 1, p.count("tools/call"), "nothing is sent before all is answered")

			out, err = p.attempt(c, 3, p.says(c, automation.Decline, ""), automation.Decline)
			require.NoError(t, err)
			require.Equal(t, automation.CallWaiting, out.State, "the second round")
			sent := p.last().Params
			require.Equal(t, "state-1", sent.RequestState)
			require.JSONEq(t, `{"action":"accept","content":{"seat":"1A"}}`, string(sent.InputResponses["ann"]))
			require.JSONEq(t, `{"action":"decline"}`, string(sent.InputResponses["bob"]))

			out, err = p.attempt(c, 4, p.says(c, automation.Answer, `{"seat":"9"}`), automation.Answer)
			require.NoError(t, err)
			require.Equal(t, automation.CallDone, out.State)
			require.Equal(t, "booked", p.result(c))
			require.Equal(t, "state-2", p.last().Params.RequestState)
			require.Len(t, p.last().Params.InputResponses, 1, "of this round alone")
			require.EqualValues(t, 3, p.row(c).Attempts, "each round has a claim of its own")
			require.Nil(t, p.row(c).RoundSealed, "answers are kept only while they are needed")
			require.Equal(t, "running", p.state())
		})
	}
}

func TestAnswersMustFitTheForm(t *testing.T) {
	t.Parallel()
	form := `"you":{"method":"elicitation/create","params":{"message":"Who?","requestedSchema":{"type":"object","required":["mail"],"properties":{
		"mail":{"type":"string","format":"email"},"age":{"type":"integer","minimum":18},"size":{"type":"string","enum":["s","m"]},"sure":{"type":"boolean"}}}}}`
	p := newPartner(t, rounds(form))
	c := p.begin("book")
	_, err := p.attempt(c, 1, "", "")
	require.NoError(t, err)
	q, err := p.db.OpenDecision(t.Context(), c.ID)
	require.NoError(t, err)
	for content, want := range map[string]string{
		`{"age":20}`:                                 "body.content.mail: is required",
		`{"mail":"hunter2"}`:                         "body.content.mail: must be text, in the format email",
		`{"mail":"a@example.com","age":17}`:          "body.content.age: must be a whole number, at least 18",
		`{"mail":"a@example.com","size":"xl"}`:       "body.content.size: must be text, one of the choices",
		`{"mail":"a@example.com","sure":"hunter2"}`:  "body.content.sure: must be true or false",
		`{"mail":"a@example.com","token":"hunter2"}`: "body.content.token: is not asked for",
		`{"mail":"a@example.com","mail":"b@c.d"}`:    "body.content: must be an object with each field once",
		`[]`: "body.content: must be an object",
		`{"mail":"a@example.com","age":18,"size":"s"}`: "",
	} {
		_, err := p.x.CheckAnswer(q, json.RawMessage(content))
		if want == "" {
			require.NoError(t, err, content)
			continue
		}
		require.True(t, fault.Is(err, fault.Invalid), content)
		require.Contains(t, err.Error(), want, content)
		require.NotContains(t, err.Error(), "hunter2", "what a person writes may be private")
	}
}

func TestQuestionsThatNobodyCanBeAsked(t *testing.T) {
	t.Parallel()
	for name, params := range map[string]string{
		"a page without TLS": `{"mode":"url","message":"open","url":"http://example.com/","elicitationId":"1"}`,
		"a script":           `{"mode":"url","message":"open","url":"javascript:alert(1)","elicitationId":"1"}`,
		"a user in the URL":  `{"mode":"url","message":"open","url":"https://bank.example@evil.example/","elicitationId":"1"}`,
		"a form that loops":  `{"message":"loop","requestedSchema":{"type":"object","properties":{"a":{"$ref":"#/properties/a"}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPartner(t, rounds(`"q":{"method":"elicitation/create","params":`+params+`}`))
			c := p.begin("book")
			out, err := p.attempt(c, 1, "", "")
			if err != nil { // the client refuses some by itself
				return
			}
			require.NotEqual(t, automation.CallWaiting, out.State)
			if p.count("tools/call") > 1 {
				require.JSONEq(t, `{"action":"cancel"}`, string(p.last().Params.InputResponses["q"]))
			}
		})
	}
}

func TestServerThatAsksForEverIsGivenUp(t *testing.T) {
	t.Parallel()
	p := newPartner(t, func(*partner, ask) string {
		return `{"resultType":"input_required","inputRequests":{` + seat("ann") + `},"requestState":"more"}`
	})
	c := p.begin("book")
	out, err := p.attempt(c, 1, "", "")
	for n := int64(2); err == nil && out.State == automation.CallWaiting && n < 20; n++ {
		out, err = p.attempt(c, n, p.says(c, automation.Answer, `{"seat":"1"}`), automation.Answer)
	}
	require.NoError(t, err)
	require.Equal(t, automation.CallFailed, out.State)
	require.Equal(t, 11, p.count("tools/call"))
}

func TestRoundWithoutQuestionsGoesOnByItself(t *testing.T) {
	t.Parallel()
	p := newPartner(t, rounds(""))
	c := p.begin("book")
	out, err := p.attempt(c, 1, "", "")
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
	require.Equal(t, "state-1", p.last().Params.RequestState)
}

func TestNobodyAnsweredTheServer(t *testing.T) {
	t.Parallel()
	p := newPartner(t, rounds(seat("ann")))
	c := p.begin("book")
	out, err := p.attempt(c, 1, "", "")
	require.NoError(t, err)
	in := p.input(c)
	in.Decision, in.Verdict = out.Decision, automation.Expired
	out, err = p.x.Settle(t.Context(), in, stamp)
	require.NoError(t, err)
	require.Equal(t, automation.CallDenied, out.State)
	require.Contains(t, p.result(c), "nobody answered in time")
	require.Equal(t, 1, p.count("tools/call"))
}

// A worker dies after it has claimed a round and before it has an answer.
func TestClaimOfARoundByADeadWorker(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]automation.CallState{"look": automation.CallDone, "book": automation.CallUnknown} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPartner(t, nil)
			p.answer = func(p *partner, _ ask) string {
				switch p.count("tools/call") {
				case 1:
					return `{"resultType":"input_required","inputRequests":{` + seat("ann") + `},"requestState":"s"}`
				case 2:
					return "" // the answer is lost
				}
				return booked
			}
			c := p.begin(name)
			_, err := p.attempt(c, 1, "", "")
			require.NoError(t, err)
			d := p.says(c, automation.Answer, `{"seat":"1A"}`)
			out, err := p.attempt(c, 2, d, automation.Answer)
			if name == "look" {
				require.Error(t, err, "a read is made again")
				out, err = p.attempt(c, 2, d, automation.Answer)
				require.JSONEq(t, `{"action":"accept","content":{"seat":"1A"}}`, string(p.last().Params.InputResponses["ann"]), "the answer was kept")
			}
			require.NoError(t, err)
			require.Equal(t, want, out.State)
			if name == "look" {
				return
			}
			require.Equal(t, 2, p.count("tools/call"), "an effect is not repeated")
			in := p.input(c)
			in.Seq, in.Verdict = 1000, automation.Retry
			q, err := p.db.OpenDecision(t.Context(), c.ID)
			require.NoError(t, err)
			require.Equal(t, "unknown", q.Kind)
			_, err = p.db.Decide(t.Context(), store.DecideParams{ID: q.ID, Owner: owner, Verdict: "retry", DecidedBy: owner})
			require.NoError(t, err)
			in.Decision = q.ID
			out, err = p.x.Execute(t.Context(), in, tool.Stamp{TemporalRunID: "t1", ActivityID: "9", Attempt: 1}, nil)
			require.NoError(t, err)
			require.Equal(t, automation.CallDone, out.State)
			require.Equal(t, "s", p.last().Params.RequestState, "a person chose to go on where it stood")
		})
	}
}

func TestAnswerIsToldOnce(t *testing.T) {
	t.Parallel()
	p := newPartner(t, rounds(seat("ann")))
	c := p.begin("book")
	_, err := p.attempt(c, 1, "", "")
	require.NoError(t, err)
	d := p.says(c, automation.Answer, `{"seat":"1A"}`)
	done := make(chan struct{}, 8)
	for range 8 {
		x := p.executor()
		go func() {
			in := p.input(c)
			in.Seq, in.Decision, in.Verdict = 100, d, automation.Answer
			_, _ = x.Execute(t.Context(), in, stamp, nil)
			done <- struct{}{}
		}()
	}
	for range 8 {
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			require.Fail(t, "an attempt hangs")
		}
	}
	require.Equal(t, 2, p.count("tools/call"), "one of the eight attempts sent it")
}
