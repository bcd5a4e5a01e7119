package price

import (
	"math"
	"math/bits"
)

// perMicro is how many units of a rate make a micro-dollar.
const perMicro = 1_000_000

// line is a number of tokens at a rate; neither is negative.
type line struct{ tokens, rate int64 }

// bill adds the lines up and rounds up to a micro-dollar. What does not fit into an int64 is unknown.
func bill(lines ...line) (microUSD int64, known bool) {
	var hi, lo uint64
	for _, l := range lines {
		h, low := bits.Mul64(uint64(l.tokens), uint64(l.rate)) //nolint:gosec // not negative, see Cost and decimal
		var carry uint64
		lo, carry = bits.Add64(lo, low, 0)
		hi += h + carry
	}
	var carry uint64
	lo, carry = bits.Add64(lo, perMicro-1, 0)
	hi += carry
	if hi >= perMicro { // the quotient would not fit
		return 0, false
	}
	quotient, _ := bits.Div64(hi, lo, perMicro)
	if quotient > math.MaxInt64 {
		return 0, false
	}
	return int64(quotient), true
}

// apply adds the surcharge for a long input. Rates and factors are bounded by decimal.
func (l *long) apply(r rates, input int64) rates {
	if l == nil || input <= l.above {
		return r
	}
	return rates{
		input: r.input * l.input / 100, cached: r.cached * l.input / 100,
		written: r.written * l.input / 100, output: r.output * l.output / 100,
	}
}
