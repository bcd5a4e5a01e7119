package api

import (
	"encoding/json"
	"math/big"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/fault"
)

// dollars is an amount in US dollars as the caller wrote it: a JSON number. Read as a float it would no longer be
// the amount that was meant.
type dollars string

const (
	microsPerDollar = 1_000_000
	// maxAmount bounds the text, and with it, once the number lies in the range of the schema, its exponent.
	maxAmount = 40
)

// Schema is a number; the range is checked before the text is read.
func (dollars) Schema(huma.Registry) *huma.Schema {
	least, most := 1.0/microsPerDollar, 1e6
	return &huma.Schema{Type: huma.TypeNumber, Minimum: &least, Maximum: &most}
}

// UnmarshalJSON keeps the text.
func (d *dollars) UnmarshalJSON(text []byte) error {
	*d = dollars(text)
	return nil
}

// MarshalJSON writes the same amount always in the same way, so that 5 and 5.00 are one request.
func (d dollars) MarshalJSON() ([]byte, error) {
	micros, err := d.micros()
	if err != nil {
		return json.Marshal(string(d))
	}
	return strconv.AppendFloat(nil, usd(micros), 'f', -1, 64), nil
}

// micros is the amount in millionths of a dollar, exactly.
func (d dollars) micros() (int64, error) {
	refused := fault.InvalidField("body.limits.cost_usd", "must be a number with at most 6 places behind the point")
	if len(d) > maxAmount {
		return 0, refused
	}
	amount, ok := new(big.Rat).SetString(string(d))
	if !ok {
		return 0, refused
	}
	amount.Mul(amount, big.NewRat(microsPerDollar, 1))
	if !amount.IsInt() || !amount.Num().IsInt64() {
		return 0, refused
	}
	return amount.Num().Int64(), nil
}

// usd shows micro-dollars: the nearest float prints as the exact decimal.
func usd(micros int64) float64 { return float64(micros) / microsPerDollar }
