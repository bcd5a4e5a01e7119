package activities

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"steward/internal/llm"
	"steward/internal/tool"
)

const systemText = `You are the planner of Steward, which carries out a person's request with the tools offered to you.
Use tools to find facts; never invent them.
Calls that change something may need a person's approval; if one is denied or its outcome is unknown, say so and do not try to get around it.
When the request is done, or cannot be done, answer with a short final text that says what was done and what was not.`

// longestAnswer bounds one answer, reasoning included, and so what has to be set aside for it, in tokens.
const longestAnswer = 32_768

// request is the turn to be asked for. What changes from step to step stands at the end, so that the provider's
// cache holds what is before it.
func (t *transcript) request(step int) llm.Request {
	req := llm.Request{
		Model: t.run.Model, Input: t.items,
		Instructions: strings.Join([]string{
			systemText, tool.Marking(t.run.WorkflowID), "Today is " + t.run.CreatedAt.UTC().Format(time.DateOnly) + ".",
		}, "\n"),
		SafetyID: hashed("owner", t.run.Owner), CacheKey: hashed("run", strconv.FormatInt(t.run.ID, 10)),
		Metadata: map[string]string{"steward_run": strconv.FormatInt(t.run.ID, 10)},
	}
	if !t.hosted() {
		for _, c := range t.catalogue.Tools {
			req.Tools = append(req.Tools, llm.Tool{Name: c.Function, Description: c.Description, Parameters: c.InputSchema})
		}
	}
	if len(t.run.OutputSchema) > 0 {
		req.Output = &llm.Output{Name: "result", Schema: t.run.OutputSchema}
	}
	if warning := t.warning(step); warning != "" {
		req.Input = append(slices.Clip(req.Input), note(warning))
	}
	return req
}

// warnPart is the percentage of a limit from which the model is told that it comes to an end.
const warnPart = 80

// warning tells the model of the limit that is closest, from 80 % of it on.
func (t *transcript) warning(step int) string {
	what, most := "", int64(warnPart-1)
	for _, l := range []struct {
		what        string
		used, limit int64
	}{
		{"steps", int64(step), int64(t.limits.Steps)},
		{"tokens", t.used.tokens, t.limits.Tokens},
		{"cost", t.used.microUSD, t.limits.CostMicroUSD},
	} {
		if l.limit <= 0 {
			continue
		}
		if part := l.used * 100 / l.limit; part > most {
			what, most = l.what, part
		}
	}
	if what == "" {
		return ""
	}
	return fmt.Sprintf("Note from Steward: %d %% of this run's limit of %s is used. Finish now with what you have, as far as possible.", most, what)
}

// mostOutput is the longest answer that is of use.
func (t *transcript) mostOutput() int64 {
	return min(longestAnswer, max(t.window-t.estimate, t.window/10))
}

// near says that the estimate is worth the question how many tokens these really are: much is used already.
func (t *transcript) near() bool {
	return t.estimate > t.window/2 || t.estimate > (t.limits.Tokens-t.used.tokens)/2
}

// note is an input item with words of ours.
func note(text string) json.RawMessage {
	doc, _ := json.Marshal(map[string]string{"type": "message", "role": "system", "content": text}) // strings always encode
	return doc
}

// hashed names something to a provider without telling it what.
func hashed(kind, value string) string {
	sum := sha256.Sum256([]byte("steward/" + kind + "/" + value))
	return hex.EncodeToString(sum[:16])
}
