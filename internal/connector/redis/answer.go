package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

func (q question) send(ctx context.Context) (any, error) {
	return q.do(ctx, append([]string{q.name}, q.args...)...)
}

// plain is for an answer of one value: a row of it, with the key before it where the columns have one.
func plain(ctx context.Context, q question) (string, error) {
	got, err := q.send(ctx)
	if err != nil {
		return "", err
	}
	row := []any{got}
	if len(q.args) > 0 && q.name != "EXISTS" {
		row = []any{q.args[0], got}
	}
	_, err = q.rows.Add(row)
	return "", err
}

// about is for one value that belongs to the second argument.
func about(ctx context.Context, q question) (string, error) {
	got, err := q.send(ctx)
	if err != nil {
		return "", err
	}
	_, err = q.rows.Add([]any{q.args[1], got})
	return "", err
}

// only is for one of a command's subcommands.
func only(subcommand string) func(context.Context, question) (string, error) {
	return func(ctx context.Context, q question) (string, error) {
		if !strings.EqualFold(q.args[0], subcommand) {
			return "", &wrong{"of " + q.name + " there is only " + q.name + " " + subcommand + " key"}
		}
		return about(ctx, q)
	}
}

// pairs is for a list of values that belong to the arguments from that place on.
func pairs(from int) func(context.Context, question) (string, error) {
	return func(ctx context.Context, q question) (string, error) {
		values, err := list(q.send(ctx))
		if err != nil {
			return "", err
		}
		labels := q.args[from:]
		if len(values) != len(labels) {
			return "", errForeign
		}
		for i, got := range values {
			if ok, err := q.rows.Add([]any{labels[i], got}); !ok {
				return "", err
			}
		}
		return "", nil
	}
}

// mostText is how much of one string an answer holds, in bytes.
const mostText = 512 << 10

// get reads a string by its beginning: the server would send half a gigabyte as well.
func get(ctx context.Context, q question) (string, error) {
	key := q.args[0]
	replies, err := q.all(ctx, []string{"EXISTS", key}, []string{"STRLEN", key}, []string{"GETRANGE", key, "0", strconv.Itoa(mostText - 1)})
	if err != nil {
		return "", err
	}
	length, err := number(replies[1].get())
	if err != nil {
		return "", err
	}
	if replies[0].value == int64(0) {
		_, err = q.rows.Add([]any{key, nil})
		return "", err
	}
	part, err := text(replies[2].get())
	if err != nil {
		return "", err
	}
	return q.part(part, 0, length, length)
}

func getRange(ctx context.Context, q question) (string, error) {
	key := q.args[0]
	w, err := windowOf(q.args[1:3])
	if err != nil {
		return "", err
	}
	length, err := number(q.do(ctx, "STRLEN", key))
	if err != nil {
		return "", err
	}
	from, to := w.within(length, mostText)
	part := ""
	if from < to { // GETRANGE takes an end before the beginning of all, -1, for the last byte
		if part, err = text(q.do(ctx, "GETRANGE", key, strconv.FormatInt(from, 10), strconv.FormatInt(to-1, 10))); err != nil {
			return "", err
		}
	}
	_, wanted := w.within(length, length)
	return q.part(part, from, wanted, length)
}

// part adds what was read of a string from that byte on. If it ends before what was wanted does, the note says how to
// go on.
func (q question) part(text string, from, wanted, length int64) (string, error) {
	note := ""
	if from+int64(len(text)) < wanted {
		text = trimmed(text)
		note = fmt.Sprintf("the value has %d bytes: go on with GETRANGE %s %d -1", length, strconv.Quote(q.args[0]), from+int64(len(text)))
	}
	_, err := q.rows.Add([]any{q.args[0], text})
	return note, err
}

// trimmed is a string without the half of a character at which it was cut.
func trimmed(s string) string {
	for n := 1; n < utf8.UTFMax && n <= len(s) && !utf8.ValidString(s); n++ {
		if cut := s[:len(s)-n]; utf8.ValidString(cut) {
			return cut
		}
	}
	return s
}
