package addressee

import (
	"html"
	"regexp"
	"slices"
	"strings"
)

// Inert makes a text safe to be shown as Markdown or HTML: pictures and links to places that are not known
// become their text and the host in words, which no reader turns into a link. Fetching a picture, or a click,
// would carry off what a model was led to put into its address.
func Inert(text string, known *Known) string {
	n := inert{known}
	text = entity.ReplaceAllStringFunc(text, readEntity)
	for range nesting {
		text = inline.ReplaceAllStringFunc(text, n.inline)
	}
	text = n.brackets(text)
	text = definition.ReplaceAllStringFunc(text, n.definition)
	text = n.tags(text)
	return n.addresses(text)
}

type inert struct{ known *Known }

// nesting is how deep pictures stand in links; what is nested deeper loses its target all the same.
const nesting = 3

var entity = regexp.MustCompile(`&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{3,8});`)

// readEntity shows the characters that make an address one, and leaves others as they are.
func readEntity(code string) string {
	if r := html.UnescapeString(code); len(r) == 1 && strings.Contains(`:/.@\`, r) {
		return r
	}
	return code
}

const target = `(<[^<>\n]*>|[^()\s<]*(?:\([^()\s]*\)[^()\s]*)*)`

var (
	inline     = regexp.MustCompile(`!?\[([^\[\]]*)\]\(\s*` + target + `(?:\s+(?:"[^"]*"|'[^']*'|\([^()]*\)))?\s*\)`)
	definition = regexp.MustCompile(`\]:\s*(<[^<>\n]*>|[^\s<]\S*)`)
)

func (n inert) inline(link string) string {
	m := inline.FindStringSubmatch(link)
	if words, ok := n.safe(m[2]); !ok {
		return m[1] + words
	}
	return link
}

// definition is the target of a link that stands elsewhere: [name]: target.
func (n inert) definition(d string) string {
	if words, ok := n.safe(definition.FindStringSubmatch(d)[1]); !ok {
		return "]" + words
	}
	return d
}

// brackets cuts the target off what a lenient reader might still take for a link.
func (n inert) brackets(text string) string {
	var out strings.Builder
	for {
		at := strings.Index(text, "](")
		if at < 0 {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(text[:at+1])
		text = text[at+1:]
		to := strings.TrimSpace(text[1:])
		end := until(to, ") \t\r\n")
		if strings.HasPrefix(to, "<") {
			end = until(to, ">")
		}
		if _, ok := n.safe(to[:end]); !ok {
			out.WriteByte(' ')
		}
	}
}

// addresses replaces those that stand alone.
func (n inert) addresses(text string) string {
	var out strings.Builder
	at := 0
	for u := range urlsIn(text) {
		if u.start < at || n.known.Has(u.addressee()) {
			continue
		}
		out.WriteString(text[at:u.start])
		out.WriteString(inWords(u.host))
		at = u.end
	}
	out.WriteString(text[at:])
	return mailto.ReplaceAllStringFunc(out.String(), func(link string) string {
		if words, ok := n.safe(link); !ok {
			return words
		}
		return link
	})
}

var mailto = regexp.MustCompile(`(?i)mailto:[^\s<>")\]]*`)

var (
	scheme    = regexp.MustCompile(`^(?i)([a-z][a-z0-9+.-]*):`)
	escape    = regexp.MustCompile("\\\\([!-/:-@\\[-`{-~])")
	invisible = regexp.MustCompile(`[\x00-\x20\x7f-\xa0\x{ad}\x{200b}-\x{200f}\x{2028}-\x{202f}\x{2060}-\x{206f}\x{feff}]+`)
)

// clickable is a target as a browser takes it: entities and escapes read, white space gone, backslashes turned.
func clickable(target string) string {
	target = html.UnescapeString(escape.ReplaceAllString(strings.Trim(strings.TrimSpace(target), "<>"), "$1"))
	return strings.ReplaceAll(invisible.ReplaceAllString(target, ""), `\`, "/")
}

// safe says that a target stays in the page or leads to known places alone; else words say where it would lead.
func (n inert) safe(target string) (words string, ok bool) {
	target = clickable(target)
	var all []Addressee
	switch m := scheme.FindStringSubmatch(target); {
	case strings.HasPrefix(target, "//"):
		target = "https:" + target
		fallthrough
	case m != nil && !strings.EqualFold(m[1], "mailto"):
		for u := range urlsIn(target) {
			all = append(all, u.addressee())
		}
	case m != nil:
		all = slices.Collect(mailsIn(unpercent(target[len(m[0]):])))
	default:
		return "", true
	}
	for _, a := range all {
		if !n.known.Has(a) {
			return inWords(a.Value), false
		}
	}
	return inWords("no host"), len(all) > 0
}

// inWords writes an address so that nothing makes a link of it.
func inWords(value string) string {
	value = strings.NewReplacer(".", " dot ", "@", " at ").Replace(value)
	return " (" + strings.Map(func(r rune) rune {
		if !alphanumeric(r) && r != ' ' && r != '-' {
			return -1
		}
		return r
	}, value) + ") "
}
