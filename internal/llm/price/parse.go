package price

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// file is one document of prices. Every entry has a source and a date, its own or the file's.
type file struct {
	Source string   `yaml:"source"`
	Date   string   `yaml:"date"`
	Models []*entry `yaml:"models"`

	raw    []byte
	newest string // the newest date in it
}

type entry struct {
	Names  []string         `yaml:"names"`  // exact names
	Dated  []string         `yaml:"dated"`  // of those, the ones whose snapshots NAME-YYYY-MM-DD cost the same
	Source string           `yaml:"source"` // where the price was read; the file's if empty
	Date   string           `yaml:"date"`   // when, YYYY-MM-DD
	Window int64            `yaml:"window"` // tokens that fit, 0 if not known
	Price  *card            `yaml:"price"`
	Tiers  map[string]*card `yaml:"tiers"` // of other service tiers than default
	Long   *surcharge       `yaml:"long"`

	model *model
}

// card is in dollars for a million tokens. Input from the cache costs like other input unless cached is
// given; writing to the cache costs nothing unless written is.
type card struct {
	Input   *rate `yaml:"input"`
	Cached  *rate `yaml:"cached"`
	Written *rate `yaml:"written"`
	Output  *rate `yaml:"output"`
}

type surcharge struct {
	Above  int64  `yaml:"above"`
	Input  factor `yaml:"input"`
	Output factor `yaml:"output"`
}

// parse reads a file strictly: a field that is not known, a name twice, a price left out is an error that
// says where. It repeats names of models and numbers, nothing else.
func parse(raw []byte) (*file, error) {
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	f := &file{raw: raw}
	if err := d.Decode(f); errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	} else if err != nil {
		return nil, err
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file holds more than one document")
	}
	if f.Source == "" {
		return nil, errors.New("source is missing: where the prices were read")
	}
	if err := checkDate(f.Date); err != nil {
		return nil, err
	}
	if len(f.Models) == 0 {
		return nil, errors.New("models are missing")
	}
	f.newest = f.Date
	seen := map[string]bool{}
	for i, e := range f.Models {
		if e == nil {
			return nil, fmt.Errorf("model %d is empty", i+1)
		}
		if err := e.read(seen); err != nil {
			return nil, fmt.Errorf("model %d: %w", i+1, err)
		}
		f.newest = max(f.newest, e.Date)
	}
	return f, nil
}

// read checks an entry and makes its model; seen are the names of the file so far.
func (e *entry) read(seen map[string]bool) error {
	if len(e.Names) == 0 {
		return errors.New("names are missing")
	}
	for _, name := range e.Names {
		if name == "" || seen[name] {
			return fmt.Errorf("name %q is empty or priced twice", name)
		}
		seen[name] = true
	}
	for _, name := range e.Dated {
		if !slices.Contains(e.Names, name) {
			return fmt.Errorf("dated: %q is not one of the names", name)
		}
	}
	if e.Date != "" {
		if err := checkDate(e.Date); err != nil {
			return err
		}
	}
	if e.Window < 0 {
		return errors.New("window is negative")
	}
	m := &model{window: e.Window, tiers: map[string]rates{}}
	for tier, c := range e.Tiers {
		if tier == standard || tier == "auto" || tier == "" {
			return fmt.Errorf("tiers: %q is what price says", tier)
		}
		r, err := c.rates()
		if err != nil {
			return fmt.Errorf("tiers: %s: %w", tier, err)
		}
		m.tiers[tier] = r
	}
	r, err := e.Price.rates()
	if err != nil {
		return fmt.Errorf("price: %w", err)
	}
	m.tiers[standard] = r
	if l := e.Long; l != nil {
		if l.Above < 1 || l.Input < 100 || l.Output < 100 {
			return errors.New("long: above must be positive, input and output at least 1")
		}
		m.long = &long{above: l.Above, input: int64(l.Input), output: int64(l.Output)}
	}
	e.model = m
	return nil
}

func (c *card) rates() (rates, error) {
	if c == nil || c.Input == nil || c.Output == nil {
		return rates{}, errors.New("input or output is missing")
	}
	r := rates{input: int64(*c.Input), cached: int64(*c.Input), output: int64(*c.Output)}
	if c.Cached != nil {
		r.cached = int64(*c.Cached)
	}
	if c.Written != nil {
		r.written = int64(*c.Written)
	}
	return r, nil
}

func checkDate(text string) error {
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return fmt.Errorf("date %q is not a day such as 2026-11-21", text)
	}
	return nil
}
