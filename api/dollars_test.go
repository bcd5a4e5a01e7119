package api

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAmountsAreExact(t *testing.T) {
	t.Parallel()
	for text, micros := range map[string]int64{
		"1": 1_000_000, "0.1": 100_000, "0.000001": 1, "0.3": 300_000, "1e-6": 1, "1.10E0": 1_100_000, "2.5e-1": 250_000,
		"999999.999999": 999_999_999_999, "1e6": 1_000_000_000_000, "8.000000": 8_000_000, "0.29": 290_000, "1.000001": 1_000_001,
	} {
		var d dollars
		require.NoError(t, json.Unmarshal([]byte(text), &d), text)
		got, err := d.micros()
		require.NoError(t, err, text)
		require.Equal(t, micros, got, text)
	}
	for _, text := range []string{"0.0000001", "1.0000005", `"1"`, "null", "1.00000000000000000000000000000000000000000000"} {
		_, err := dollars(text).micros()
		require.Error(t, err, text)
	}
}

// What one amount is written as does not make it another request.
func TestAmountsAreWrittenInOneWay(t *testing.T) {
	t.Parallel()
	for text, want := range map[dollars]string{"5": "5", "5.00": "5", "50e-1": "5", "0.10": "0.1", "1e-6": "0.000001", "123456.7": "123456.7"} {
		got, err := json.Marshal(text)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}

func FuzzDollars(f *testing.F) {
	for _, seed := range []string{"1", "0.1", "1e-6", "1e400", "-1", "null", "0.0000001"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d dollars
		if len(text) > maxAmount || json.Unmarshal([]byte(text), &d) != nil {
			return
		}
		var number float64 // as the schema judges it before the text is read
		if json.Unmarshal([]byte(text), &number) != nil || number < 1e-6 || number > 1e6 {
			return
		}
		micros, err := d.micros()
		if err != nil {
			return
		}
		require.InDelta(t, number, usd(micros), 1e-9*number)
		again, err := json.Marshal(d)
		require.NoError(t, err)
		back, err := dollars(again).micros()
		require.NoError(t, err)
		require.Equal(t, micros, back)
	})
}
