package scenario

import "steward/dev/offline/money"

// due is what one mail asks to be paid: the amounts of its body, else those that the tool reports.
func due(mail any) money.Sum {
	sum := money.Due(show(pick(mail, "body", "text", "snippet")))
	if len(sum) > 0 {
		return sum
	}
	for _, entry := range lookup(mail, "amounts[*]") {
		sum.Add(money.Find(show(pick(entry, "currency")) + " " + show(pick(entry, "amount")))...)
	}
	return sum
}

// total adds up what the mails ask for.
func total(mails []any) money.Sum {
	sum := money.Sum{}
	for _, mail := range mails {
		sum.Plus(due(mail))
	}
	return sum
}
