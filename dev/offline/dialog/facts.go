package dialog

import "steward/dev/offline/money"

// Facts are what the rules found out, for an answer that is data instead of text. The zero Facts say
// that nothing was found.
type Facts struct {
	Items  []Item         // what the answer is about, in the order in which it was found
	Totals []money.Amount // one per currency, in the order in which the text names them
	Sum    *float64       // the one sum that has no currency
	Values []any          // JSON objects with further values by name: results of tools, captures
}

// Item is one thing that was found.
type Item struct {
	Value   any            // JSON
	Amounts []money.Amount // one per currency
}

// Final reports whether the reply is a text that ends the task.
func (r Reply) Final() bool {
	return len(r.Calls) == 0 && r.Text != "" && r.Refusal == "" && r.Incomplete == "" && !r.Failed
}
