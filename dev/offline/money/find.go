package money

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
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

// Around a digit, a currency stands at most so many bytes before it, and an amount ends at most so
// many bytes behind it. Matching only there keeps long texts cheap.
const (
	before = 12
	behind = 48
)

// Find returns the amounts of a text in order, written like "EUR 1,234.50", "$99.00",
// "1.234,50 EUR", "CHF 1'234.50" or "-€5".
func Find(text string) []Amount {
	var found []Amount
	for at := 0; ; {
		next := strings.IndexAny(text[at:], "0123456789")
		if next < 0 {
			return found
		}
		first := at + next
		from := max(at, first-before)
		for from > at && !utf8.RuneStart(text[from]) {
			from--
		}
		value, end, ok := match(text, from, min(len(text), first+behind))
		if ok {
			found = append(found, value)
			at = end
			continue
		}
		for at = max(first, end); at < len(text) && isDigit(text[at]); {
			at++
		}
	}
}

// match finds the first amount in a part of the text, and where it ends. What looks like one but is
// not has an end as well.
func match(text string, from, to int) (value Amount, end int, ok bool) {
	m := amount.FindStringSubmatchIndex(text[from:to])
	if m == nil {
		return Amount{}, 0, false
	}
	group := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return text[from+m[2*i] : from+m[2*i+1]]
	}
	digits, end := group(5)+group(7), from+m[1]
	if space := strings.LastIndexByte(digits, ' '); space >= 0 && continues(text[end:]) {
		end -= len(digits) - space // "USD 99 2026-11-14": the second number is another one
		digits = digits[:space]
	}
	cents, ok := parse(digits)
	if !ok || continues(text[end:]) {
		return Amount{}, end, false
	}
	if group(2)+group(4)+group(6) != "" {
		cents = -cents
	}
	return Amount{code(group(3) + group(8)), cents}, end, true
}

// continues reports whether a number goes on after the match, or turns out to be a percentage.
func continues(rest string) bool {
	return rest != "" && (isDigit(rest[0]) || rest[0] == '%')
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

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
