package money_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"steward/dev/offline/money"
)

func TestFind(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"EUR 1,234.50":                "EUR 1,234.50",
		"$99.00":                      "USD 99.00",
		"1.234,50 EUR":                "EUR 1,234.50",
		"1 234,50 €":                  "EUR 1,234.50",
		"CHF 1'234.50":                "CHF 1,234.50",
		"€5 and £7.5":                 "EUR 5.00|GBP 7.50",
		"US$ 1,000,000":               "USD 1,000,000.00",
		"-€5, EUR -7.10, -8 EUR":      "EUR -5.00|EUR -7.10|EUR -8.00",
		"12.345 EUR":                  "EUR 12,345.00",
		"Total:EUR 12.":               "EUR 12.00",
		"Paid USD 99 2026-11-14":      "USD 99.00",
		"Order 1042 100 EUR":          "EUR 100.00",
		"eur 3 (three)":               "EUR 3.00",
		"Invoice EUR-2026-11, AEUR 5": "",
		"19% VAT, 0.125 USD, EUR 12345678901234567": "",
		"Room 12, 2026-11-21, call 555 0100":        "",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, a := range money.Find(text) {
				got = append(got, a.String())
			}
			require.Equal(t, want, strings.Join(got, "|"))
		})
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"total wins":          {"Hosting EUR 10.00\nSupport EUR 5\nTotal: EUR 15.00\n", "EUR 15.00"},
		"amount due wins":     {"Total: EUR 100\nPaid: EUR 40\n  * Amount due: EUR 60", "EUR 60.00"},
		"last total":          {"Total net EUR 100\nTotal incl. VAT EUR 119\n", "EUR 119.00"},
		"last amount of line": {"Total (2 x EUR 5): EUR 10", "EUR 10.00"},
		"subtotal is none":    {"Subtotal EUR 1\nShipping EUR 2", "EUR 3.00"},
		"empty total line":    {"Total\nEUR 3\n", "EUR 3.00"},
		"named twice":         {"We charge $99.00. Please pay $99.00 soon.", "USD 99.00"},
		"two currencies":      {"EUR 1 and USD 2", "EUR 1.00, USD 2.00"},
		"nothing":             {"Hello", "no amounts"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, money.Due(c.body).String())
		})
	}
}

// What String writes, Find reads.
func TestFindReadsWhatStringWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := money.Amount{
			Currency: rapid.SampledFrom([]string{"EUR", "USD", "JPY"}).Draw(t, "currency"),
			Cents:    rapid.Int64Range(-99999999999999, 99999999999999).Draw(t, "cents"),
		}
		require.Equal(t, []money.Amount{want}, money.Find("Sum: "+want.String()+"."))
	})
}

func FuzzDue(f *testing.F) {
	for _, seed := range []string{"Total: EUR 1.234,50", "$99", "-€ 5 EUR 6", "EUR 1 234 567 89", "\xff\xfe € 1", "Amount due\n\n$1.1.1.1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for currency, cents := range money.Due(body) {
			require.Len(t, currency, 3)
			a := money.Amount{Currency: currency, Cents: cents}
			if cents > -1e15 && cents < 1e15 {
				require.Equal(t, []money.Amount{a}, money.Find(a.String()))
			}
		}
	})
}
