package activities

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"steward/internal/automation"
	"steward/internal/llm"
	"steward/internal/spending"
)

// Codes of turns that end a run without success, stable.
const (
	codeIncomplete = "model_incomplete"     // cut, for a reason of the model's
	codeFiltered   = "model_content_filter" // cut by the provider's filter
	codeBlocked    = "model_blocked"        // flagged by moderation: not shown, not acted on
	codeRefused    = "model_refused"        // the model declines
	codeEmpty      = "model_empty"          // neither text nor calls
	codeOutput     = "output_invalid"       // not what output_schema asks for, twice
)

// judge says whether a turn is the last one, and how the run ends by it. Calls of an incomplete answer are never
// executed: they may be cut in the middle. bounded: a limit, not the model, set the length of the answer.
func (t *transcript) judge(res *llm.Response, bounded bool, out *Output) automation.Final {
	failed := func(code, message string) automation.Final {
		return automation.Final{State: automation.Failed, Code: code, Message: message}
	}
	switch {
	case res.Incomplete == "max_output_tokens" && bounded:
		return automation.Final{State: automation.BudgetExceeded, Code: spending.CodeExceeded, Message: "a limit was reached in the middle of the model's answer"}
	case res.Incomplete == "content_filter":
		return failed(codeFiltered, "the model provider's content filter cut the answer")
	case res.Incomplete != "":
		return failed(codeIncomplete, "the model's answer was cut: "+res.Incomplete)
	case res.Blocked != "":
		out.Text = ""
		return failed(codeBlocked, "the model provider's moderation flagged the "+res.Blocked)
	case len(res.Calls) > 0 || asks(res):
		return automation.Final{}
	case res.Refusal != "":
		return failed(codeRefused, "the model declined the request")
	case res.Text == "":
		return failed(codeEmpty, "the model answered with neither text nor calls")
	}
	if len(t.run.OutputSchema) == 0 {
		return automation.Final{State: automation.Success}
	}
	data, err := fits(t.run.OutputSchema, res.Text)
	switch {
	case err == nil:
		out.Data = data
		return automation.Final{State: automation.Success}
	case t.corrected:
		return failed(codeOutput, fmt.Sprintf("the final answer does not fit the output schema: %s", err))
	}
	return automation.Final{} // one more turn, with the complaint
}

// asks says that the provider waits for an approval before it calls a tool.
func asks(res *llm.Response) bool {
	return slices.ContainsFunc(res.Hosted, func(it llm.HostedItem) bool { return it.Kind == "question" })
}

func asModelError(err error) *llm.Error {
	e, _ := errors.AsType[*llm.Error](err)
	return e
}

func sizeOf(items []json.RawMessage) int {
	n := 0
	for _, it := range items {
		n += len(it)
	}
	return n
}
