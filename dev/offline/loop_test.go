package offline_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"
)

// tools are the answers of fake tools by name; an answer that begins with "error" is a failure.
type tools map[string]func(args map[string]any) string

// turn is what the model asked for in one response.
type turn []string

// play runs the tool loop as Steward does: stateless, every item sent again, results in envelopes.
// It returns the calls turn by turn and the final text.
func play(t *testing.T, llm openai.Client, params responses.ResponseNewParams, fake tools) (turns []turn, final string) {
	t.Helper()
	items := responses.ResponseInputParam{message("user", params.Input.OfString.Value)}
	for range 20 {
		params.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: items}
		got, err := llm.Responses.New(t.Context(), params)
		require.NoError(t, err)
		require.Equal(t, responses.ResponseStatusCompleted, got.Status)
		var asked turn
		var outputs responses.ResponseInputParam
		for _, item := range got.Output {
			items = append(items, param.Override[responses.ResponseInputItemUnionParam](json.RawMessage(item.RawJSON())))
			if call := item.AsFunctionCall(); item.Type == "function_call" {
				asked = append(asked, call.Name+" "+call.Arguments)
				outputs = append(outputs, output(call.CallID, answer(t, fake, call)))
			}
		}
		if asked == nil {
			return turns, got.OutputText()
		}
		turns = append(turns, asked)
		items = append(items, outputs...)
	}
	t.Fatal("the model did not come to an end")
	return nil, ""
}

func answer(t *testing.T, fake tools, call responses.ResponseFunctionToolCall) string {
	t.Helper()
	tool := fake[call.Name]
	if tool == nil {
		return "error: unknown tool " + call.Name
	}
	var args map[string]any
	if err := json.Unmarshal([]byte(call.Arguments), &args); err != nil {
		return "error: invalid arguments"
	}
	text := tool(args)
	if strings.HasPrefix(text, "error") {
		return text
	}
	return fmt.Sprintf("<tool-result source=%q id=%q bytes=\"%d\">\n%s\n</tool-result>", call.Name, call.CallID, len(text), text)
}

func message(role responses.EasyInputMessageRole, text string) responses.ResponseInputItemUnionParam {
	return responses.ResponseInputItemParamOfMessage(text, role)
}

// mailbox is the sandbox server with four mails, two of which name their sum in a total line.
func mailbox() tools {
	mails := map[string]string{
		"m1": `{"id":"m1","from":"billing@acme.example","to":"me@example.com","subject":"Invoice 1042","date":"2026-11-16T09:00:00Z","body":"Hosting EUR 1,000.00\nSupport EUR 234.50\nTotal: EUR 1,234.50\n"}`,
		"m2": `{"id":"m2","from":"pay@globex.example","to":"me@example.com","subject":"Your invoice","date":"2026-11-18T12:00:00Z","body":"We charged $99.00 to your card."}`,
		"m3": `{"id":"m3","from":"billing@acme.example","to":"me@example.com","subject":"Invoice 1043","date":"2026-11-19T08:00:00Z","body":"Subtotal 400,00 EUR\nAmount due: 1.250,00 EUR"}`,
		"m4": `{"id":"m4","from":"ann@initech.example","to":"me@example.com","subject":"Re: invoice question","date":"2026-11-20T17:00:00Z","body":"Which invoice do you mean?"}`,
	}
	return tools{
		"mcp_mailbox__search_emails": func(map[string]any) string {
			var hits []string
			for _, id := range []string{"m3", "m1", "m4", "m2"} {
				hits = append(hits, mails[id])
			}
			return `{"emails":[` + strings.Join(hits, ",") + `],"total":4}`
		},
		"mcp_mailbox__get_email":  func(args map[string]any) string { return mails[args["id"].(string)] },
		"mcp_mailbox__send_email": func(map[string]any) string { return `{"message_id":"out-1"}` },
	}
}

func mailTools() []responses.ToolUnionParam {
	return []responses.ToolUnionParam{
		function("mcp_mailbox__get_email", "Reads one e-mail.", map[string]any{"id": str()}, "id"),
		function("mcp_mailbox__search_emails", "Searches the mailbox.", map[string]any{
			"query": str(), "after": str(), "before": str(), "from": str(), "subject": str(),
			"limit": map[string]any{"type": "integer"},
		}),
		function("mcp_mailbox__send_email", "Sends an e-mail.", map[string]any{"to": str(), "subject": str(), "body": str()}, "to", "subject", "body"),
	}
}

func output(callID, text string) responses.ResponseInputItemUnionParam {
	return responses.ResponseInputItemUnionParam{OfFunctionCallOutput: &responses.ResponseInputItemFunctionCallOutputParam{
		CallID: param.NewOpt(callID),
		Output: responses.ResponseInputItemFunctionCallOutputOutputUnionParam{OfString: param.NewOpt(text)},
	}}
}
