package telemetry

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Tally counts events by the values of fixed labels. It is safe for concurrent use. The values must come
// from a small set: each combination is kept for the life of the process.
type Tally struct {
	name, help string
	labels     []string

	mu     sync.Mutex
	counts map[string]float64 // by values, joined
}

// NewTally makes a counter family; name ends in _total.
func NewTally(name, help string, labels ...string) *Tally {
	return &Tally{name: name, help: help, labels: labels, counts: map[string]float64{}}
}

const unitSeparator = "\x1f"

// Add counts one event; there is a value for each label, in their order.
func (t *Tally) Add(values ...string) {
	if len(values) != len(t.labels) {
		panic("telemetry: " + t.name + " has other labels") // a mistake in our own code
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[strings.Join(values, unitSeparator)]++
}

// Metrics is the tally's Source.
func (t *Tally) Metrics() []Metric {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := Metric{Name: t.name, Help: t.help, Kind: Counter}
	for _, key := range slices.Sorted(maps.Keys(t.counts)) {
		var pairs []string
		values := strings.Split(key, unitSeparator)
		for i, label := range t.labels {
			pairs = append(pairs, label, values[i])
		}
		m.Samples = append(m.Samples, Sample{Labels: pairs, Value: t.counts[key]})
	}
	return []Metric{m}
}
