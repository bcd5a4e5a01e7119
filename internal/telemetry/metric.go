package telemetry

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Metric is one family of numbers in the words of Prometheus.
type Metric struct {
	Name    string
	Help    string
	Kind    Kind
	Samples []Sample
}

// Kind says how a metric moves.
type Kind string

// A Counter only grows while the process lives; a Gauge goes up and down.
const (
	Counter Kind = "counter"
	Gauge   Kind = "gauge"
)

// Sample is one number of a family, told from the others by its labels: name, value, name, value.
type Sample struct {
	Labels []string
	Value  float64
}

// Source reads the metrics of one part as they are now. It is called on each scrape, from any goroutine.
type Source func() []Metric

// One is a metric with a single sample.
func One(name, help string, kind Kind, value float64) Metric {
	return Metric{Name: name, Help: help, Kind: kind, Samples: []Sample{{Value: value}}}
}

// write is Prometheus' text format 0.0.4.
func write(w io.Writer, sources []Source) error {
	var out bytes.Buffer
	for _, source := range sources {
		for _, m := range source() {
			fmt.Fprintf(&out, "# HELP %s %s\n# TYPE %s %s\n", m.Name, m.Help, m.Name, m.Kind)
			for _, s := range m.Samples {
				fmt.Fprintf(&out, "%s%s %s\n", m.Name, labels(s.Labels), strconv.FormatFloat(s.Value, 'g', -1, 64))
			}
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

func labels(pairs []string) string {
	if len(pairs) == 0 {
		return ""
	}
	var parts []string
	for pair := range slices.Chunk(pairs, 2) {
		parts = append(parts, pair[0]+`="`+escaper.Replace(pair[1])+`"`)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
