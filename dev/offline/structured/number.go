package structured

import (
	"encoding/json"
	"math"
	"strconv"
)

// number is the figure that the name asks for if it is known and fits, else the number closest to 0.
func number(t string, s schema, at place) (made, bool) {
	if n, ok := figure(t, at); ok && (t == "number" || whole(n)) && fitsNumber(s, n) {
		return made{n, true}, true
	}
	for _, n := range small(t, s) {
		if fitsNumber(s, n) {
			return made{value: n}, true
		}
	}
	return made{}, false
}

func whole(n json.Number) bool {
	f, err := n.Float64()
	return err == nil && f == math.Trunc(f)
}

// small are the numbers to try: 0, and those at the ends of what is allowed.
func small(t string, s schema) []json.Number {
	step := 1.0
	if m, ok := limit(s, "multipleOf"); ok {
		step = m
	}
	try := []float64{0}
	for _, keyword := range []string{"minimum", "exclusiveMinimum"} {
		if f, ok := limit(s, keyword); ok {
			up := math.Ceil(f/step) * step
			try = append(try, f, up, up+step)
		}
	}
	for _, keyword := range []string{"maximum", "exclusiveMaximum"} {
		if f, ok := limit(s, keyword); ok {
			down := math.Floor(f/step) * step
			try = append(try, f, down, down-step)
		}
	}
	low, bounded := limit(s, "exclusiveMinimum")
	if high, ok := limit(s, "exclusiveMaximum"); ok && bounded {
		try = append(try, low+(high-low)/2)
	}
	var list []json.Number
	for _, f := range try {
		if !math.IsInf(f, 0) && !math.IsNaN(f) && (t == "number" || f == math.Trunc(f)) {
			list = append(list, json.Number(strconv.FormatFloat(f, 'f', -1, 64)))
		}
	}
	return list
}

// fitsNumber checks the keywords for numbers; other values fit them.
func fitsNumber(s schema, value any) bool {
	n, ok := value.(json.Number)
	if !ok {
		return true
	}
	f, err := n.Float64()
	if err != nil {
		return false
	}
	for keyword, fits := range map[string]func(limit float64) bool{
		"minimum":          func(limit float64) bool { return f >= limit },
		"maximum":          func(limit float64) bool { return f <= limit },
		"exclusiveMinimum": func(limit float64) bool { return f > limit },
		"exclusiveMaximum": func(limit float64) bool { return f < limit },
		"multipleOf":       func(limit float64) bool { return limit > 0 && math.Mod(f, limit) == 0 },
	} {
		if !s.hasAny(keyword) {
			continue
		}
		if bound, ok := limit(s, keyword); !ok || !fits(bound) {
			return false
		}
	}
	return true
}

// limit is the number of a keyword.
func limit(s schema, keyword string) (float64, bool) {
	n, ok := s[keyword].(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// bounds reads a pair of keywords for sizes; without them everything is allowed. What is not a size
// is not understood.
func bounds(s schema, low, high string) (least, most int, ok bool) {
	least, most = 0, math.MaxInt32
	for keyword, to := range map[string]*int{low: &least, high: &most} {
		if !s.hasAny(keyword) {
			continue
		}
		f, ok := limit(s, keyword)
		if !ok || f < 0 || f > math.MaxInt32 || f != math.Trunc(f) {
			return 0, 0, false
		}
		*to = int(f)
	}
	return least, most, true
}
