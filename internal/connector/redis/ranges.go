package redis

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"steward/internal/connector/database"
)

// over is one more than an answer holds: who gets it knows that there is more.
const over = database.MostRows + 1

func listRange(ctx context.Context, q question) (string, error) {
	w, err := windowOf(q.args[1:3])
	if err != nil {
		return "", err
	}
	length, err := number(q.do(ctx, "LLEN", q.args[0]))
	if err != nil {
		return "", err
	}
	from, to := w.within(length, over)
	if from == to {
		return "", nil
	}
	values, err := list(q.do(ctx, "LRANGE", q.args[0], strconv.FormatInt(from, 10), strconv.FormatInt(to-1, 10)))
	if err != nil {
		return "", err
	}
	for i, got := range values {
		if ok, err := q.rows.Add([]any{from + int64(i), got}); !ok {
			return "", err
		}
	}
	return "", nil
}

// sortedOptions are those of ZRANGE and its elder relatives, with how many values each has.
var sortedOptions = map[string]map[string]int{
	"ZRANGE":           {"WITHSCORES": 0, "BYSCORE": 0, "BYLEX": 0, "REV": 0, "LIMIT": 2},
	"ZREVRANGE":        {"WITHSCORES": 0},
	"ZRANGEBYSCORE":    {"WITHSCORES": 0, "LIMIT": 2},
	"ZREVRANGEBYSCORE": {"WITHSCORES": 0, "LIMIT": 2},
}

// sortedRange gives scores wherever the server has them. Ranges by rank get a window, the others a LIMIT.
func sortedRange(ctx context.Context, q question) (string, error) {
	given, err := options(q.args[3:], sortedOptions[q.name])
	if err != nil {
		return "", err
	}
	_, byScore := given["BYSCORE"]
	_, byLex := given["BYLEX"]
	sent := append([]string{q.name}, q.args[:3]...)
	if byScore || byLex || strings.HasSuffix(q.name, "BYSCORE") {
		given["LIMIT"], err = limited(given["LIMIT"])
	} else {
		sent, err = q.ranked(ctx, sent)
	}
	if err != nil {
		return "", err
	}
	if !byLex {
		given["WITHSCORES"] = nil
	}
	values, err := list(q.do(ctx, append(sent, spelled(given, "BYSCORE", "BYLEX", "REV", "LIMIT", "WITHSCORES")...)...))
	if err != nil {
		return "", err
	}
	return "", q.addScored(values, !byLex)
}

// limited is a LIMIT that is bounded, made where there is none.
func limited(limit []string) ([]string, error) {
	n, err := count(limit, over)
	if err != nil {
		return nil, err
	}
	offset := "0"
	if len(limit) > 0 {
		offset = limit[0]
	}
	return []string{offset, strconv.Itoa(n)}, nil
}

// ranked replaces the ends of a range by rank with those of its window.
func (q question) ranked(ctx context.Context, sent []string) ([]string, error) {
	w, err := windowOf(q.args[1:3])
	if err != nil {
		return nil, err
	}
	length, err := number(q.do(ctx, "ZCARD", q.args[0]))
	if err != nil {
		return nil, err
	}
	from, to := w.within(length, over)
	if from == to { // an empty range has no other name: 1 to 0
		from, to = 1, 1
	}
	return append(sent[:2], strconv.FormatInt(from, 10), strconv.FormatInt(to-1, 10)), nil
}

func (q question) addScored(values []any, scores bool) error {
	step := 1
	if scores {
		step = 2
	}
	if len(values)%step != 0 {
		return errForeign
	}
	for pair := range slices.Chunk(values, step) {
		row := []any{pair[0], nil}
		if scores {
			row[1] = pair[1]
		}
		if ok, err := q.rows.Add(row); !ok {
			return err
		}
	}
	return nil
}

// spelled puts options down in that order.
func spelled(given map[string][]string, order ...string) []string {
	var out []string
	for _, name := range order {
		if values, ok := given[name]; ok {
			out = append(append(out, name), values...)
		}
	}
	return out
}

func streamRange(ctx context.Context, q question) (string, error) {
	given, err := options(q.args[3:], map[string]int{"COUNT": 1})
	if err != nil {
		return "", err
	}
	n, err := count(given["COUNT"], over)
	if err != nil {
		return "", err
	}
	entries, err := list(q.do(ctx, q.name, q.args[0], q.args[1], q.args[2], "COUNT", strconv.Itoa(n)))
	if err != nil {
		return "", err
	}
	for _, got := range entries {
		entry, err := list(got, nil)
		if err != nil || len(entry) != 2 {
			return "", errForeign
		}
		fields, err := fieldsOf(entry[1])
		if err != nil {
			return "", err
		}
		if ok, err := q.rows.Add([]any{entry[0], fields}); !ok {
			return "", err
		}
	}
	return "", nil
}

// fieldsOf is an entry's list of names and values. Of a name that stands there twice the last value stays.
func fieldsOf(value any) (map[string]any, error) {
	values, err := list(value, nil)
	if err != nil || len(values)%2 != 0 {
		return nil, errForeign
	}
	out := make(map[string]any, len(values)/2)
	for pair := range slices.Chunk(values, 2) {
		name, err := text(pair[0], nil)
		if err != nil {
			return nil, err
		}
		out[named(name)] = marked(pair[1])
	}
	return out, nil
}

// geoSearch always asks where the members are, and how far.
func geoSearch(ctx context.Context, q question) (string, error) {
	given, err := options(q.args[1:], map[string]int{
		"FROMMEMBER": 1, "FROMLONLAT": 2, "BYRADIUS": 2, "BYBOX": 3, "ASC": 0, "DESC": 0, "COUNT": 1, "ANY": 0, "WITHCOORD": 0, "WITHDIST": 0,
	})
	if err != nil {
		return "", err
	}
	n, err := count(given["COUNT"], over)
	if err != nil {
		return "", err
	}
	given["COUNT"], given["WITHCOORD"], given["WITHDIST"] = []string{strconv.Itoa(n)}, nil, nil
	sent := append([]string{"GEOSEARCH", q.args[0]},
		spelled(given, "FROMMEMBER", "FROMLONLAT", "BYRADIUS", "BYBOX", "ASC", "DESC", "COUNT", "ANY", "WITHCOORD", "WITHDIST")...)
	found, err := list(q.do(ctx, sent...))
	if err != nil {
		return "", err
	}
	for _, got := range found {
		place, err := list(got, nil)
		if err != nil || len(place) != 3 {
			return "", errForeign
		}
		at, err := list(place[2], nil)
		if err != nil || len(at) != 2 {
			return "", errForeign
		}
		if ok, err := q.rows.Add([]any{place[0], place[1], at[0], at[1]}); !ok {
			return "", err
		}
	}
	return "", nil
}
