package activities

import (
	"encoding/json"
	"errors"

	"steward/internal/automation"
	"steward/internal/llm"
)

// final judges a turn. Calls of an incomplete answer are never executed: they may be cut in the middle.
func final(res *llm.Response) automation.Final {
	switch {
	case res.Incomplete != "":
		return automation.Final{State: automation.Failed, Code: "model_incomplete", Message: "the model's answer was cut: " + res.Incomplete}
	case len(res.Calls) > 0:
		return automation.Final{}
	case res.Refusal != "":
		return automation.Final{State: automation.Failed, Code: "model_refused", Message: "the model declined the request"}
	case res.Text == "":
		return automation.Final{State: automation.Failed, Code: "model_empty", Message: "the model answered with neither text nor calls"}
	default:
		return automation.Final{State: automation.Success}
	}
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
