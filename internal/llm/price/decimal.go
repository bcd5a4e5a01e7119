package price

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// rate is a decimal of dollars for a million tokens, as an integer of rates.
type rate int64

// factor is a decimal in hundredths.
type factor int64

// UnmarshalYAML reads the digits as they stand: a float would lose some.
func (r *rate) UnmarshalYAML(n *yaml.Node) error {
	v, err := decimal(n.Value, 6, 6)
	*r = rate(v)
	return err
}

// UnmarshalYAML is like that of rate.
func (f *factor) UnmarshalYAML(n *yaml.Node) error {
	v, err := decimal(n.Value, 2, 2)
	*f = factor(v)
	return err
}

var decimalPattern = regexp.MustCompile(`^([0-9]+)(?:\.([0-9]+))?$`)

// decimal reads a number of so many digits before and after the point at most, and returns it without the
// point. The product of the largest rate and the largest factor is 10¹⁶, far below 2⁶³.
func decimal(text string, whole, decimals int) (int64, error) {
	parts := decimalPattern.FindStringSubmatch(text)
	if parts == nil || len(parts[1]) > whole || len(parts[2]) > decimals {
		return 0, fmt.Errorf("%q is not a number with at most %d digits before the point and %d behind", text, whole, decimals)
	}
	return strconv.ParseInt(parts[1]+parts[2]+strings.Repeat("0", decimals-len(parts[2])), 10, 64)
}
