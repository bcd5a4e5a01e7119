package gmail

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestTextOf(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]string{
		"plain &amp; simple":                            "plain & simple",
		"<p>one</p><p>two</p>":                          "one\n\ntwo",
		"a<br>b<br><br><br>c":                           "a\nb\n\nc",
		"in<b>side</b> a <i>word</i>.":                  "inside a word.",
		"<ul><li>x</li><li>y</li></ul>":                 "x\ny",
		"<script>alert(1)</script>ok<style>p{}</style>": "ok",
		"<div hidden>no<div>no</div>no</div>yes":        "yes",
		`<x-y style="Display : None">no</x-y>yes`:       "yes",
		`<span style="visibility:hidden">no</span>yes`:  "yes",
		`<img hidden src="x">yes`:                       "yes",
		`<a href="https://x.example">link</a>`:          "link",
		"<div><div><div>":                               "",
		"<p>unclosed <b>text":                           "unclosed text",
		"<!-- no --><p>yes":                             "yes",
		"<title>no</title>yes</td>&nbsp;1":              "yes 1",
		"1 < 2":                                         "1 < 2",
	} {
		require.Equal(t, want, textOf(document), document)
	}
	deep := textOf(strings.Repeat("<div>", 200_000) + "x")
	require.Equal(t, "x", deep)
}

func FuzzTextOf(f *testing.F) {
	for _, seed := range []string{"", "<p>x</p>", "<div hidden><div>", "<script>", "&#x0;", "<p style='display:none'", "\xff<b>\xfe"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		text := textOf(document)
		require.NotContains(t, text, "\n\n\n")
		if utf8.ValidString(document) {
			require.True(t, utf8.ValidString(text))
		}
	})
}
