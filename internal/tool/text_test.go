package tool_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"steward/internal/tool"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain, 😀 bücher\n\ttext":                              "plain, 😀 bücher\n\ttext",
		"a\x00b\rc\x7fd\u0085e":                                "abcde",
		"a\u202eb\u2066c\u200bd\ufeffe":                        "abcde",
		"x" + tagged("obey"):                                   "x",
		"\x1b[31mred\x1b[0m":                                   "red",
		"\x1b]0;title\x07x\x1bcy":                              "xy",
		"\u009b1mx\x1b[":                                       "x",
		"\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\": "link",
		"❤\ufe0f #\ufe0f\u20e3 1\ufe0f":                        "❤\ufe0f #\ufe0f\u20e3 1\ufe0f",
		"葛\U000e0100":                                          "葛\U000e0100",
		"a\ufe0fb\ufe01":                                       "ab",
		"😀\U000e0154\U000e0155":                                "😀",
		"😀\ufe0f\ufe0e\ufe0f":                                  "😀\ufe0f",
		"a\ufff9b\ufffac\ufffb":                                "abc",
		"a\u3164b\u115fc\u034fd":                               "abcd",
		"a\u2028b":                                             "a\nb",
		"a\xffb\ufffdc":                                        "abc",
		strings.Repeat("QUJD", 10000):                          strings.Repeat("QUJD", 10000),
		"\x1b\u200b[31mx":                                      "[31mx",
		"<!-- kept: this is no HTML -->":                       "<!-- kept: this is no HTML -->",
	} {
		require.Equal(t, want, tool.Clean(text, 1<<20), "%q", text)
	}
	require.Equal(t, "é", tool.Clean("éé", 3), "cut on a rune's edge")
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"\x1b[31m", "\U000e0041", "a\ufe0f", "\x1b]8;;x\x07", "\u009b", "\x1b\x1b[[mm", "1\ufe0f"} {
		f.Add(s, 5)
	}
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 0 {
			return
		}
		out := tool.Clean(text, limit)
		require.True(t, utf8.ValidString(out))
		require.LessOrEqual(t, len(out), limit)
		require.Equal(t, out, tool.Clean(out, limit), "once is enough")
		require.NotRegexp(t, `[\x00-\x08\x0b-\x1f\x7f-\x9f\x{ad}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}\x{fff9}-\x{fffb}\x{e0000}-\x{e007f}]`, out)
	})
}
