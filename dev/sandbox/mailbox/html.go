package mailbox

import (
	"html"
	"strings"
)

// htmlText drops tags, scripts and styles: enough to search and quote, not to render.
func htmlText(s string) string {
	var out strings.Builder
	for s != "" {
		text, rest, isTag := strings.Cut(s, "<")
		out.WriteString(text)
		if !isTag {
			break
		}
		tag, after, _ := strings.Cut(rest, ">")
		switch name := tagName(tag); name {
		case "script", "style":
			after = afterEnd(after, name)
		case "br", "p", "div", "tr", "li", "h1", "h2":
			out.WriteByte('\n')
		}
		s = after
	}
	var lines []string
	for line := range strings.SplitSeq(html.UnescapeString(out.String()), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// tagName is the element's name of a start or end tag.
func tagName(tag string) string {
	fields := strings.Fields(strings.Trim(tag, "/"))
	if len(fields) == 0 {
		return ""
	}
	return strings.ToLower(fields[0])
}

// afterEnd is what follows the element's end tag, nothing if there is none.
func afterEnd(s, name string) string {
	for {
		_, rest, found := strings.Cut(s, "</")
		if !found {
			return ""
		}
		end, after, _ := strings.Cut(rest, ">")
		if tagName(end) == name {
			return after
		}
		s = rest
	}
}
