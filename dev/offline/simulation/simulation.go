// Package simulation is the third layer of the offline model: words in the instruction, or in the
// request's metadata under the key "sim", that make the model misbehave or work on command, for
// demonstrations, tests and load tests. No real model knows them.
//
//	#sim: rate_limit 2      the first 2 attempts of the first step answer HTTP 429
//	#sim: server_error 1    the first attempt of the first step answers HTTP 500
//	#sim: failed 1          the first attempt of the first step answers with status "failed"
//	#sim: slow 20s          every answer takes that long
//	#sim: incomplete        the answer is cut off (max_output_tokens)
//	#sim: refuse            the answer is a refusal
//	#sim: bad_args          one call whose arguments are not JSON
//	#sim: unknown_tool      one call of a tool that is not offered
//	#sim: inject            a model that obeys an injected instruction: it reads, then sends away
//	#sim: steps 5 tool search_emails args {"query":"a{{step}}"}      five calls, one per step
//	#sim: parallel 5 tool get_email args {"id":"{{step}}"}           five calls in one step
//
// Each stands on a line of its own; several may be combined.
package simulation

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"steward/dev/offline/dialog"
)

// Plan is what the words ask for. The zero Plan asks for nothing.
type Plan struct {
	RateLimit   int           // attempts that are answered with 429
	ServerError int           // attempts that are answered with 500
	Failed      int           // attempts that are answered with status "failed"
	Delay       time.Duration // before every answer

	play func(dialog.Dialog) dialog.Reply // nil: the other layers answer
}

// Limits keep a simulation from hurting the machine that it runs on.
const (
	MaxDelay = 10 * time.Minute
	maxCalls = 1000
)

var line = regexp.MustCompile(`(?m)^[ \t]*#sim:[ \t]*(.*?)[ \t]*\r?$\n?`)

// Parse takes the words out of an instruction and returns the rest of it. The errors name the word
// that is not understood; they are for the person who wrote it.
func Parse(instruction, metadata string) (plan Plan, rest string, err error) {
	var words []string
	for _, m := range line.FindAllStringSubmatch(instruction, -1) {
		words = append(words, m[1])
	}
	if metadata != "" {
		words = append(words, metadata)
	}
	for _, w := range words {
		if err := plan.add(w); err != nil {
			return Plan{}, "", err
		}
	}
	return plan, strings.TrimSpace(line.ReplaceAllString(instruction, "")), nil
}

// Play answers when the words ask for an answer of their own.
func (p Plan) Play(d dialog.Dialog) (reply dialog.Reply, ok bool) {
	if p.play == nil {
		return dialog.Reply{}, false
	}
	return p.play(d), true
}

func (p *Plan) add(words string) (err error) {
	name, rest, _ := strings.Cut(words, " ")
	rest = strings.TrimSpace(rest)
	switch name {
	case "rate_limit":
		p.RateLimit, err = count(rest)
	case "server_error":
		p.ServerError, err = count(rest)
	case "failed":
		p.Failed, err = count(rest)
	case "slow":
		p.Delay, err = delay(rest)
	case "incomplete":
		p.play = cutOff
	case "refuse":
		p.play = refuse
	case "bad_args":
		p.play = badArguments
	case "unknown_tool":
		p.play = unknownTool
	case "inject":
		p.play = inject
	case "steps", "parallel":
		p.play, err = repeat(name, rest)
	default:
		return fmt.Errorf("unknown simulation word %q", name)
	}
	if err != nil {
		return fmt.Errorf("simulation word %s: %w", name, err)
	}
	return nil
}

// count is a number of attempts, 1 when it is left out.
func count(text string) (int, error) {
	if text == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxCalls {
		return 0, fmt.Errorf("want a number up to %d", maxCalls)
	}
	return n, nil
}

func delay(text string) (time.Duration, error) {
	if text == "" {
		return 5 * time.Second, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > MaxDelay {
		return 0, fmt.Errorf("want a duration up to %s, such as 20s", MaxDelay)
	}
	return d, nil
}
