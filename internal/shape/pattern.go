package shape

import (
	"regexp/syntax"

	"github.com/google/jsonschema-go/jsonschema"
)

// maxPatterns bounds all patterns of a schema together, in instructions of the matcher. Two nested repetitions in
// thirty bytes make a million of them.
const maxPatterns = 100_000

// patterns is the size of the patterns that one schema has by itself.
func patterns(s *jsonschema.Schema) (size int, err error) {
	measure := func(pattern string) {
		re, failed := syntax.Parse(pattern, syntax.Perl)
		if failed != nil {
			err = failed
			return
		}
		size += instructions(re)
	}
	if s.Pattern != "" {
		measure(s.Pattern)
	}
	for pattern := range s.PatternProperties {
		measure(pattern)
	}
	return min(size, maxPatterns+1), err
}

// instructions counts what the expression compiles to, without doing it. The parser allows at most 1,000 repetitions,
// nested ones multiplied, so that nothing overflows.
func instructions(re *syntax.Regexp) int {
	size := 1
	if re.Op == syntax.OpLiteral {
		size = len(re.Rune)
	}
	for _, sub := range re.Sub {
		size += instructions(sub)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(re.Min, re.Max, 1)
	}
	return size
}
