package e2e_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// canary is a secret whose song nobody may hear but at the places where it belongs.
type canary struct {
	name, value string
	belongs     []string // places
}

// planted makes a canary that no pattern recognizes and that every escaping changes.
func planted(name string) canary {
	return canary{name: name, value: fmt.Sprintf("c4n4ry+%s/%s", strings.ReplaceAll(name, " ", "-"), rand.Text())}
}

// hunt looks for canaries. It may be used by several goroutines.
type hunt struct {
	canaries []canary
	needles  [][][]byte // of each canary

	mu     sync.Mutex
	found  map[string]bool
	places int
	bytes  int64
}

func newHunt(canaries ...canary) *hunt {
	h := &hunt{canaries: canaries, found: map[string]bool{}}
	for _, c := range canaries {
		h.needles = append(h.needles, forms(c.value))
	}
	return h
}

func (h *hunt) look(place string, data []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.places++
	h.bytes += int64(len(data))
	for i, c := range h.canaries {
		if slices.Contains(c.belongs, place) {
			continue
		}
		for _, needle := range h.needles[i] {
			if at := bytes.Index(data, needle); at >= 0 {
				around := data[max(0, at-60):min(len(data), at+len(needle)+20)]
				h.found[fmt.Sprintf("%s in %s: %q", c.name, place, around)] = true
				break
			}
		}
	}
}

// forms are the ways in which a value may be written down: plain, in JSON, in URLs, in hex, and in base64
// of either alphabet wherever it begins in the encoded text.
func forms(value string) [][]byte {
	quoted, err := json.Marshal(value)
	if err != nil {
		panic(err) // a string
	}
	texts := []string{
		value, string(quoted[1 : len(quoted)-1]), url.QueryEscape(value), url.PathEscape(value),
		hex.EncodeToString([]byte(value)), strings.ToUpper(hex.EncodeToString([]byte(value))),
	}
	for shift := range 3 {
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := alphabet.EncodeToString(append(make([]byte, shift), value...))
			texts = append(texts, text[(shift*8+5)/6:(shift+len(value))*8/6]) // without what the neighbours decide
		}
	}
	slices.Sort(texts)
	var all [][]byte
	for _, text := range slices.Compact(texts) {
		all = append(all, []byte(text))
	}
	return all
}

// A hunt that finds nothing proves something only if it would find.
func TestHuntHearsEveryForm(t *testing.T) {
	t.Parallel()
	c := planted("x")
	for name, text := range map[string]string{
		"plain": "a" + c.value + "b", "query": "?q=" + url.QueryEscape(c.value), "path": "/" + url.PathEscape(c.value) + "/",
		"hex":  hex.EncodeToString([]byte("user:" + c.value + "\n")),
		"b64":  base64.StdEncoding.EncodeToString([]byte("user:" + c.value)),
		"b64a": base64.StdEncoding.EncodeToString([]byte("u:" + c.value + "tail")),
		"b64u": base64.URLEncoding.EncodeToString([]byte("abc" + c.value)),
	} {
		h := newHunt(c)
		h.look("here", []byte(text))
		require.Len(t, h.found, 1, name)
	}
	c.belongs = []string{"here"}
	h := newHunt(c)
	h.look("here", []byte(c.value))
	require.Empty(t, h.found)
}
