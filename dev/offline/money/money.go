// Package money finds amounts in the text of a mail and adds them up per currency.
package money

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Amount is a value in hundredths of a currency, whatever the currency's own smallest unit.
type Amount struct {
	Currency string // ISO 4217 code
	Cents    int64
}

// String formats as "EUR 1,234.50".
func (a Amount) String() string {
	sign, cents := "", a.Cents
	if cents < 0 {
		sign, cents = "-", -cents
	}
	whole := fmt.Sprint(cents / 100)
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return fmt.Sprintf("%s %s%s.%02d", a.Currency, sign, whole, cents%100)
}

// Sum holds one total per currency, in hundredths.
type Sum map[string]int64

// Add adds amounts.
func (s Sum) Add(amounts ...Amount) {
	for _, a := range amounts {
		s[a.Currency] += a.Cents
	}
}

// Plus adds another sum.
func (s Sum) Plus(other Sum) {
	for currency, cents := range other {
		s[currency] += cents
	}
}

// Amounts are the totals in the order of their currencies.
func (s Sum) Amounts() []Amount {
	var list []Amount
	for _, currency := range slices.Sorted(maps.Keys(s)) {
		list = append(list, Amount{currency, s[currency]})
	}
	return list
}

// String lists the totals by currency, "no amounts" when there are none.
func (s Sum) String() string {
	if len(s) == 0 {
		return "no amounts"
	}
	var parts []string
	for _, amount := range s.Amounts() {
		parts = append(parts, amount.String())
	}
	return strings.Join(parts, ", ")
}

// Due is what a mail asks to be paid. A line that begins with "Amount due" wins, else one that
// begins with "Total", the last of its kind, because subtotals come first. Without such a line all
// amounts count, equal ones once: a price named twice in prose is one price.
func Due(body string) Sum {
	due := Sum{}
	for _, labels := range [][]string{
		{"amount due", "balance due", "total due"},
		{"total", "grand total", "invoice total"},
	} {
		if line := lastLine(body, labels); line != nil {
			due.Add(line[len(line)-1])
			return due
		}
	}
	seen := map[Amount]bool{}
	for _, amount := range Find(body) {
		if !seen[amount] {
			seen[amount] = true
			due.Add(amount)
		}
	}
	return due
}

// lastLine returns the amounts of the last line that begins with a label and holds an amount.
func lastLine(body string, labels []string) []Amount {
	var amounts []Amount
	for line := range strings.Lines(body) {
		line = strings.ToLower(strings.TrimLeft(line, " \t*|>-_#"))
		for _, label := range labels {
			if strings.HasPrefix(line, label) {
				if found := Find(line); found != nil {
					amounts = found
				}
			}
		}
	}
	return amounts
}
