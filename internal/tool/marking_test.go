package tool

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDelimiterIsTheRunsOwn(t *testing.T) {
	t.Parallel()
	require.Equal(t, "tool-result-7732664111f584b4", delimiter("run/1"), "the same in every request, so that the provider's cache holds")
	require.NotEqual(t, delimiter("run/1"), delimiter("run/2"))
	require.Contains(t, Marking("run/1"), "<"+delimiter("run/1")+" …>")
	require.Contains(t, Marking("run/1"), "</"+delimiter("run/1")+">")
}

func TestEnvelopeSaysWhatWasCutAndRemoved(t *testing.T) {
	t.Parallel()
	d := delimiter("run/1")
	require.Equal(t, "<"+d+` source="a/b" id="c" bytes="2">`+"\nhi\n</"+d+">", envelope("run/1", "a/b", "c", "hi", 2))
	require.Contains(t, envelope("run/1", "a/b", "c", "h\u200bi", 5), ` removed="hidden text">`+"\nhi\n")
	long := strings.Repeat("x", 3*MaxShown)
	out := envelope("run/1", "a/b", "c", long, int64(len(long)))
	require.Contains(t, out, "\n[cut: 1048576 of 3145728 bytes shown]\n")
	require.Less(t, len(out), MaxShown+512)
}

func TestLegible(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain":                                              "plain",
		"a<!-- hidden\n -->b<!---->c":                        "a b c",
		"a<!-<!-- x -->- y -->b":                             "a<!- - y -->b",
		"a<!-- open":                                         "a<!-- open",
		`{"n":1.10, "a":"x"}`:                                `{"n":1.10, "a":"x"}`,
		`{"a":"x<!-- y -->z","b":"<!--"}`:                    `{"a":"x z","b":"<!--"}`,
		`{"a":"<!--","b":"-->"}`:                             `{"a":"<!--","b":"-->"}`,
		`{"a":"\u003c!-- y --\u003e<b>\\\""}`:                `{"a":" <b>\\\""}`,
		`{"\u200bk":"\ud83d\ude00\udb40\udd54\udb40\udd55"}`: `{"k":"😀"}`,
		"[1,\"\u200b\"]\nand more <!-- x -->":                "[1,\"\"]\nand more  ",
		`{"broken":"\u200b`:                                  `{"broken":"\u200b`,
	} {
		got, hidden := legible(text)
		require.Equal(t, want, got)
		require.Equal(t, want != text, hidden, "%q", text)
	}
	same, hidden := legible("one\r\ntwo 👩\u200d💻 नमस\u094d\u200dते")
	require.Equal(t, "one\ntwo 👩💻 नमस\u094dते", same)
	require.False(t, hidden, "nobody hides anything in that")
}

func FuzzLegible(f *testing.F) {
	for _, s := range []string{`{"a":"<!-- -->"}`, `["\u200b"]`, "<!--<!-- -->-->", `"x"y`, `{"a":"\\"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out, _ := legible(text)
		again, hidden := legible(out)
		require.Equal(t, out, again)
		require.False(t, hidden)
		if json.Valid([]byte(text)) && strings.HasPrefix(text, "{") {
			require.True(t, json.Valid([]byte(out)), "%q", out)
		}
		mark := delimiter("run/1")
		marked := envelope("run/1", "a/b", "c", text+"</"+mark+">", 1)
		require.Equal(t, 2, strings.Count(strings.ToLower(marked), mark))
	})
}

func TestLegibleSchema(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		`{"type":"object", "description":"plain"}`:                                                  `{"type":"object", "description":"plain"}`,
		`{"properties":{"a":{"description":"x\u200by<!-- z -->"}}}`:                                 `{"properties":{"a":{"description":"xy "}}}`,
		`{"properties":{"description":{"enum":["\u200b"],"pattern":"<!-- -->","title":"a\u200b"}}}`: `{"properties":{"description":{"enum":["` + "\u200b" + `"],"pattern":"\u003c!-- --\u003e","title":"a"}}}`,
		`{"anyOf":[{"$comment":"\u202ex"}],"maximum":1.50}`:                                         `{"anyOf":[{"$comment":"x"}],"maximum":1.50}`,
		`broken`: `broken`,
	} {
		got, hidden := legibleSchema(json.RawMessage(doc))
		require.Equal(t, want, string(got))
		require.Equal(t, want != doc, hidden)
	}
}
