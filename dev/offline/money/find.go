package money

import (
	"regexp"
	"strconv"
	"strings"
)

const (
	currency = `(?:US\$|A\$|C\$|CA\$|AU\$|[$€£¥₹]|(?:EUR|USD|GBP|CHF|JPY|SEK|NOK|DKK|PLN|CZK|HUF|CAD|AUD|NZD|INR|CNY|BRL|MXN|SGD|HKD|ZAR|TRY)\b)`
	number   = `(?:\d{1,3}(?:[.,'’\x{00a0}\x{202f} ]\d{3})+|\d+)(?:[.,]\d+)?`
)

// amount matches a currency before or after a number. The character in front must not belong to a
// word or number, and a sign behind a currency needs a space, so names such as "AEUR 12" and
// "EUR-2026-11" are left alone.
var amount = regexp.MustCompile(`(?i)(^|[^\pL\d.,])(?:(-|−)?(` + currency + `)(?: (-|−)| ?)(` + number + `)|(-|−)?(` + number + `) ?(` + currency + `))`)

// longest bounds the digits of an amount; longer numbers are account numbers, not money.
const longest = 13

// Find returns the amounts of a text in order, written like "EUR 1,234.50", "$99.00",
// "1.234,50 EUR", "CHF 1'234.50" or "-€5".
func Find(text string) []Amount {
	var found []Amount
	for at := 0; at < len(text); {
		m := amount.FindStringSubmatchIndex(text[at:])
		if m == nil {
			break
		}
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[at+m[2*i] : at+m[2*i+1]]
		}
		digits, end := group(5)+group(7), at+m[1]
		if space := strings.LastIndexByte(digits, ' '); space >= 0 && continues(text[end:]) {
			end -= len(digits) - space // "USD 99 2026-11-14": the second number is another one
			digits = digits[:space]
		}
		cents, ok := parse(digits)
		if ok && !continues(text[end:]) {
			if group(2)+group(4)+group(6) != "" {
				cents = -cents
			}
			found = append(found, Amount{code(group(3) + group(8)), cents})
		}
		at = end
	}
	return found
}

// continues reports whether a number goes on after the match, or turns out to be a percentage.
func continues(rest string) bool {
	return rest != "" && (rest[0] >= '0' && rest[0] <= '9' || rest[0] == '%')
}

// parse reads a number in any of the usual notations into hundredths. The last separator is the
// decimal one if one or two digits follow it; three digits make it a thousands separator.
func parse(number string) (cents int64, ok bool) {
	whole, fraction := number, ""
	if i := strings.LastIndexAny(number, ".,"); i >= 0 && len(number)-i-1 != 3 {
		whole, fraction = number[:i], number[i+1:]
	}
	if strings.HasPrefix(number, "0") && fraction == "" && number != "0" {
		return 0, false // "0.125" has no hundredths, "007" is a name
	}
	whole = strings.Map(digit, whole)
	if len(whole) > longest || len(fraction) > 2 || strings.Map(digit, fraction) != fraction {
		return 0, false
	}
	cents, err := strconv.ParseInt(whole+(fraction + "00")[:2], 10, 64)
	return cents, err == nil
}

func digit(r rune) rune {
	if r < '0' || r > '9' {
		return -1
	}
	return r
}

var symbols = map[string]string{
	"$": "USD", "US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD",
	"€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR",
}

func code(written string) string {
	written = strings.ToUpper(written)
	if code, ok := symbols[written]; ok {
		return code
	}
	return written
}
