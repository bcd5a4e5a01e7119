package spending

import (
	"fmt"
	"math"
	"time"
)

// unit is what a limit counts.
type unit string

const (
	tokens unit = "tokens"
	money  unit = "micro-dollars"
)

// room is one limit and what is used of it; 0 is no limit.
type room struct {
	limit, used int64
	unit        unit
	whose       string
	shared      bool // there is new room tomorrow
}

// weigh finds the longest answer for which every limit has room.
func (b *Book) weigh(a Ask, limits []room) (Grant, error) {
	input, known := b.prices.AtMost(a.Model, a.Input, 0)
	longer, alsoKnown := b.prices.AtMost(a.Model, a.Input, million)
	known = known && alsoKnown
	perMillion := longer - input
	g := Grant{Output: a.Output, CostKnown: known}
	var refusal *Refusal
	for _, l := range limits {
		if l.limit <= 0 {
			continue
		}
		if l.unit == money && !known {
			return g, &Refusal{Code: CodePriceUnknown, Message: fmt.Sprintf("the price of model %q is not known: a limit on cost cannot be kept", a.Model)}
		}
		left := l.limit - l.used
		fits := left - a.Input
		if l.unit == money {
			fits = affordable(left-input, perMillion)
		}
		if fits < min(leastOutput, a.Output) && refusal == nil {
			refusal = l.refuse(a.Input)
		}
		if fits < g.Output {
			g.Output, g.Bounded = fits, true
		}
	}
	if refusal != nil {
		return g, refusal
	}
	g.Tokens = a.Input + g.Output
	g.MicroUSD, _ = b.prices.AtMost(a.Model, a.Input, g.Output)
	return g, nil
}

const (
	million  = 1_000_000
	muchUSD  = million * million // more micro-dollars than that make no difference, and would overflow
	anything = math.MaxInt64
)

// affordable is how many tokens of output some micro-dollars buy. Prices are rounded up, so one is kept back.
func affordable(micro, perMillion int64) int64 {
	switch {
	case micro < 0:
		return -1
	case perMillion == 0:
		return anything
	}
	return max(0, min(micro, muchUSD)-1) * million / perMillion
}

func (l room) refuse(input int64) *Refusal {
	r := &Refusal{Code: CodeExceeded}
	if l.unit == money {
		r.Message = fmt.Sprintf("%s of %s would be passed: %s are used", l.whose, dollars(l.limit), dollars(l.used))
	} else {
		r.Message = fmt.Sprintf("%s of %d tokens would be passed: %d are used and the next request needs about %d",
			l.whose, l.limit, l.used, input)
	}
	if l.shared {
		now := time.Now().UTC()
		r.Until = time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, time.UTC)
	}
	return r
}

// dollars writes micro-dollars as people do.
func dollars(micro int64) string { return fmt.Sprintf("$%d.%06d", micro/1_000_000, micro%1_000_000) }
