package structured

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"steward/dev/offline/lexicon"
	"steward/dev/offline/money"
)

// figure is a count, an amount of money, or a number that a tool gave the name.
func figure(t string, at place) (json.Number, bool) {
	words := lexicon.Words(at.name)
	if isCount(t, words) && !at.item {
		return json.Number(strconv.Itoa(len(at.facts.Items))), at.facts.Items != nil
	}
	if isAmount(words) {
		if total, ok := amount(words, at); ok {
			return decimal(total, slices.Contains(words, "cents")), true
		}
		if at.facts.Sum != nil {
			return json.Number(strconv.FormatFloat(*at.facts.Sum, 'g', -1, 64)), true
		}
	}
	return lookup[json.Number](at)
}

// isCount tells "count", "invoice_count", "number_of_invoices" and the integer "total_invoices" from
// "invoice_number" and "total_due".
func isCount(t string, words []string) bool {
	if len(words) == 0 {
		return false
	}
	first, last := words[0], words[len(words)-1]
	switch {
	case first == "count" || last == "count" || slices.Contains(words, "quantity"):
		return true
	case first == "number" || first == "num":
		return true
	}
	return t == "integer" && len(words) == 2 && first == "total" && !slices.Contains(amounts, last) && !isCode(last)
}

// isAmount tells "total", "total_due", "total_eur" and "amount_cents" from "due_days".
func isAmount(words []string) bool {
	if n := len(words); n > 1 && (isCode(words[n-1]) || words[n-1] == "cents") {
		words = words[:n-1]
	}
	return len(words) > 0 && slices.Contains(amounts, words[len(words)-1])
}

// amount is the first total, or that of the currency in the name.
func amount(words []string, at place) (money.Amount, bool) {
	for _, w := range words {
		if isCode(w) {
			i := slices.IndexFunc(at.facts.Totals, func(a money.Amount) bool { return strings.EqualFold(a.Currency, w) })
			if i < 0 {
				return money.Amount{}, false
			}
			return at.facts.Totals[i], true
		}
	}
	if len(at.facts.Totals) == 0 {
		return money.Amount{}, false
	}
	return at.facts.Totals[0], true
}

// isCode reports whether a word is the code of a currency.
func isCode(word string) bool {
	return len(word) == 3 && len(money.Find(word+" 1")) == 1
}

// decimal writes an amount without losing a cent.
func decimal(a money.Amount, cents bool) json.Number {
	if cents {
		return json.Number(strconv.FormatInt(a.Cents, 10))
	}
	sign, rest := "", a.Cents
	if rest < 0 {
		sign, rest = "-", -rest
	}
	text := fmt.Sprintf("%s%d.%02d", sign, rest/100, rest%100)
	return json.Number(strings.TrimSuffix(strings.TrimRight(text, "0"), "."))
}
