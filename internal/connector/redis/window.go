package redis

import (
	"strconv"
	"strings"
)

// window is a part of something ordered, as Redis says it: both ends belong to it, and negative ones count from the
// end.
type window struct{ from, to int64 }

func windowOf(args []string) (window, error) {
	from, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return window{}, &wrong{"the beginning and the end of a range are whole numbers"}
	}
	to, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return window{}, &wrong{"the beginning and the end of a range are whole numbers"}
	}
	return window{from, to}, nil
}

// within is the window of something that long, with no more elements than most; to does not belong to it any more.
func (w window) within(length, most int64) (from, to int64) {
	from, to = w.from, w.to
	if from < 0 {
		from = max(0, from+length)
	}
	if to < 0 {
		to += length
	}
	to = max(min(to, length-1)+1, 0)
	from = min(from, to)
	return from, min(to, from+most)
}

// options reads what follows a command's fixed arguments. known says how many values each option has; the names come
// back in capitals.
func options(args []string, known map[string]int) (map[string][]string, error) {
	out := map[string][]string{}
	for i := 0; i < len(args); {
		name := strings.ToUpper(args[i])
		n, ok := known[name]
		if !ok || i+n >= len(args) {
			return nil, &wrong{"the command has no option " + strconv.Quote(short(args[i])) + ", or a value of it is missing"}
		}
		out[name] = args[i+1 : i+1+n]
		i += n + 1
	}
	return out, nil
}

// short is the beginning of what a model has written, to say it back.
func short(s string) string {
	if len(s) > 32 {
		return s[:32]
	}
	return s
}

// count is an option's number of elements, bounded: most where there is none, or a negative one, which means all.
func count(values []string, most int) (int, error) {
	if len(values) == 0 {
		return most, nil
	}
	n, err := strconv.Atoi(values[len(values)-1])
	if err != nil {
		return 0, &wrong{"the number of elements is a whole number"}
	}
	if n < 0 || n > most {
		return most, nil
	}
	return n, nil
}
