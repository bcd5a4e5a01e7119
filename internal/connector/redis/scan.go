package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"steward/internal/connector/database"
)

const (
	// scanned is how many elements a scan asks for at a time, and with how many it is content: a step may give more
	// than were asked for, and all of them must find room in one answer.
	scanned = database.MostRows / 2
	// mostSteps bounds a scan that finds little, mostBytes one that finds large elements.
	mostSteps = 200
	mostBytes = database.MostBytes
)

// shape says how the elements of one step of a scan become rows.
type shape struct {
	width int   // elements of a row in the reply
	parts []int // which of them are in the answer
}

var (
	single = shape{1, []int{0}}
	both   = shape{2, []int{0, 1}}
	first  = shape{2, []int{0}}
	second = shape{2, []int{1}}
)

// pass is a scan under way.
type pass struct {
	reader
	name   string   // SCAN, HSCAN, SSCAN or ZSCAN
	key    []string // none for SCAN
	filter []string // options other than COUNT
	want   int      // content with so many
}

// run takes steps from cursor on until it has enough, and gives every element once to add. The cursor that it returns
// is where to go on, "0" at the end.
func (p pass) run(ctx context.Context, cursor string, width int, add func([]any) error) (string, error) {
	seen, size := map[string]bool{}, 0 // an element may come twice while a table grows
	for range mostSteps {
		elements, next, err := p.step(ctx, cursor, width)
		if err != nil {
			return "", err
		}
		cursor = next
		for element := range slices.Chunk(elements, width) {
			name, err := text(element[0], nil)
			if err != nil {
				return "", err
			}
			if seen[name] {
				continue
			}
			seen[name] = true
			size += len(name) + len(fmt.Sprint(element[1:]...))
			if err := add(element); err != nil {
				return "", err
			}
		}
		if cursor == "0" || len(seen) >= p.want || size >= mostBytes {
			break
		}
	}
	return cursor, nil
}

// step is what comes from one cursor to the next.
func (p pass) step(ctx context.Context, cursor string, width int) (elements []any, next string, err error) {
	sent := append(append(append([]string{p.name}, p.key...), cursor), p.filter...)
	reply, err := list(p.do(ctx, append(sent, "COUNT", strconv.Itoa(p.want))...))
	if err != nil {
		return nil, "", err
	}
	if len(reply) != 2 {
		return nil, "", errForeign
	}
	if next, err = text(reply[0], nil); err != nil {
		return nil, "", err
	}
	elements, err = list(reply[1], nil)
	if err == nil && len(elements)%width != 0 {
		err = errForeign
	}
	return elements, next, err
}

func (s shape) row(element []any) []any {
	row := make([]any, 0, len(s.parts))
	for _, part := range s.parts {
		row = append(row, element[part])
	}
	return row
}

// whole answers a command for all of a collection by a scan of it.
func whole(by string, s shape) func(context.Context, question) (string, error) {
	return func(ctx context.Context, q question) (string, error) {
		p := pass{reader: q.reader, name: by, key: q.args[:1], want: scanned}
		return q.collect(ctx, p, "0", s)
	}
}

// scan is for the commands that models may use themselves; before counts the arguments that come before the cursor.
func scan(before int, s shape) func(context.Context, question) (string, error) {
	known := map[string]int{"MATCH": 1, "COUNT": 1}
	if before == 0 {
		known["TYPE"] = 1
	}
	return func(ctx context.Context, q question) (string, error) {
		given, err := options(q.args[before+1:], known)
		if err != nil {
			return "", err
		}
		want, err := count(given["COUNT"], scanned)
		if err != nil {
			return "", err
		}
		p := pass{reader: q.reader, name: q.name, key: q.args[:before], filter: spelled(given, "MATCH", "TYPE"), want: max(want, 1)}
		return q.collect(ctx, p, q.args[before], s)
	}
}

// collect runs a scan into the rows, and notes where it stopped.
func (q question) collect(ctx context.Context, p pass, cursor string, s shape) (string, error) {
	next, err := p.run(ctx, cursor, s.width, func(element []any) error {
		_, err := q.rows.Add(s.row(element)) // what finds no room is noted by the rows
		return err
	})
	if err != nil || next == "0" {
		return "", err
	}
	command := p.name
	for _, key := range p.key {
		command += " " + strconv.Quote(key)
	}
	return fmt.Sprintf("there may be more: go on with %s %s", command, next), nil
}
