// Package price says what a model call costs, from a dated table, in integer millionths of a US dollar.
// What is not in the table is unknown, never a guess: a model whose name only begins like a known one, a
// service tier without a price.
package price

import (
	"regexp"

	"steward/internal/automation"
)

// Table is immutable and safe for concurrent use. The zero value knows no price.
type Table struct {
	version string
	exact   map[string]*model
	dated   map[string]*model // these names also stand for their dated snapshots
}

// model is what one or more names cost.
type model struct {
	window int64            // tokens; 0 is unknown
	tiers  map[string]rates // by service tier; the list price is standard
	long   *long
}

const standard = "default"

// rates are in millionths of a micro-dollar a token, which is the number of dollars a million tokens times a
// million. A table may give six decimals, so they are exact.
type rates struct{ input, cached, written, output int64 }

// long is the surcharge of a whole call whose input is above so many tokens.
type long struct {
	above         int64
	input, output int64 // factors, in hundredths
}

// Version names the table: the newest date in it and a digest of everything it was made of. It is recorded
// with each call, so that a cost can be explained later.
func (t *Table) Version() string { return t.version }

// Cost is what a call cost: the tokens reported for it at the price of the tier that was used, rounded up.
// An empty tier, and "auto" from servers that have no tiers, is the list price. It is unknown when model,
// tier or usage are.
//
// Usage does not say how much of the input was written to the provider's cache, so where that costs extra
// all input that did not come from the cache counts as written. The cost is then an upper bound.
func (t *Table) Cost(name, tier string, u automation.Usage) (microUSD int64, known bool) {
	m := t.model(name)
	if m == nil || !u.Known || u.InputTokens < 0 || u.OutputTokens < 0 || u.CachedTokens < 0 || u.CachedTokens > u.InputTokens {
		return 0, false
	}
	if tier == "" || tier == "auto" {
		tier = standard
	}
	r, known := m.tiers[tier]
	if !known {
		return 0, false
	}
	r = m.long.apply(r, u.InputTokens)
	return bill(
		line{u.InputTokens - u.CachedTokens, max(r.input, r.written)},
		line{u.CachedTokens, r.cached},
		line{u.OutputTokens, r.output},
	)
}

// AtMost is what a call of so many tokens can cost at the list price: nothing comes from the cache. It is
// for reservations before the call.
func (t *Table) AtMost(name string, input, output int64) (microUSD int64, known bool) {
	return t.Cost(name, standard, automation.Usage{InputTokens: input, OutputTokens: output, Known: true})
}

// Window is how many tokens fit into the model, input and output together.
func (t *Table) Window(name string) (tokens int64, known bool) {
	m := t.model(name)
	if m == nil || m.window == 0 {
		return 0, false
	}
	return m.window, true
}

var snapshot = regexp.MustCompile(`^(.+)-\d{4}-\d{2}-\d{2}$`)

// model finds a name as it stands, then as a dated snapshot of a name that has them. There are no prefixes:
// the next model is called like this one and more.
func (t *Table) model(name string) *model {
	if m := t.exact[name]; m != nil {
		return m
	}
	if parts := snapshot.FindStringSubmatch(name); parts != nil {
		return t.dated[parts[1]]
	}
	return nil
}
