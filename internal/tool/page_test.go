package tool_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/mcpclient"
	"steward/internal/tool"
)

// paying wants a page opened before so many calls, and then says yes.
func paying(page string, calls int) func(*partner, ask) string {
	return func(p *partner, _ ask) string {
		if p.count("tools/call") > calls {
			return booked
		}
		return fmt.Sprintf(`!{"code":-32042,"message":"open a page","data":{"elicitations":[{"mode":"url","elicitationId":"1","url":%q,"message":"Pay first"}]}}`, page)
	}
}

const till = "https://example.com/pay"

func TestPageBeforeACall(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		page  string
		says  automation.Verdict // empty: nobody is asked
		state automation.CallState
		calls int
		text  string
	}{
		"opened":          {till, automation.Answer, automation.CallDone, 2, "booked"},
		"declined":        {till, automation.Decline, automation.CallFailed, 1, "the user did not open the page that the server needs"},
		"not to be shown": {"http://example.com/pay", "", automation.CallFailed, 1, "the user did not open the page that the server needs"},
	} {
		for _, of := range []string{"book", "look"} {
			t.Run(name+", "+of, func(t *testing.T) {
				t.Parallel()
				p := newPartner(t, paying(tc.page, 1))
				c := p.begin(of)
				out, err := p.attempt(c, 1, "", "")
				require.NoError(t, err)
				if tc.says != "" {
					require.Equal(t, automation.CallWaiting, out.State)
					require.Equal(t, tool.ModeURL, p.question(c).Mode)
					d := p.says(c, tc.says, "")
					out, err = p.attempt(c, 2, d, tc.says)
					require.NoError(t, err)
				}
				require.Equal(t, tc.state, out.State)
				require.Empty(t, out.Decision)
				require.Equal(t, tc.text, p.result(c))
				require.Equal(t, tc.calls, p.count("tools/call"))
				require.Empty(t, p.last().Params.InputResponses, "such a server is told nothing")
				require.Equal(t, "running", p.state())
			})
		}
	}
}

// A client says that its user opened the page as soon as it is open: the user is asked once and given time.
func TestPageBeforeADirectCall(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		action string
		wants  int // calls before which the server wants the page
		calls  int // 0: as many as fit
		text   string
	}{
		"opened":       {mcpclient.ActionAccept, 1, 2, "booked"},
		"never done":   {mcpclient.ActionAccept, 1000, 0, "make the call again"},
		"declined":     {mcpclient.ActionDecline, 1, 1, "did not open the page"},
		"nobody there": {mcpclient.ActionCancel, 1, 1, "did not open the page"},
	} {
		for _, of := range []string{"book", "look"} {
			t.Run(name+", "+of, func(t *testing.T) {
				t.Parallel()
				p := newPartner(t, paying(till, tc.wants))
				asked := 0
				done, err := p.x.Direct(t.Context(), tool.Direct{
					Owner: owner, Actor: owner, Via: tool.ViaMCP, Server: partnerID, Tool: of,
					Ask: func(context.Context, mcpclient.Question) (mcpclient.Answer, error) {
						asked++
						return mcpclient.Answer{Action: tc.action}, nil
					},
				})
				require.NoError(t, err)
				require.Contains(t, done.Text, tc.text)
				require.Equal(t, tc.text != "booked", done.IsError)
				require.Equal(t, 1, asked)
				if tc.calls > 0 {
					require.Equal(t, tc.calls, p.count("tools/call"))
				} else {
					require.LessOrEqual(t, p.count("tools/call"), 3, "in three seconds")
				}
			})
		}
	}
}
