package gmail

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// textOf is the text that a person sees of an HTML mail, without links and pictures. It reads token by token:
// nothing a sender nests makes it deep.
func textOf(document string) string {
	var r reader
	tokens := html.NewTokenizer(strings.NewReader(document))
	for {
		switch tokens.Next() {
		case html.ErrorToken: // the end, or something that cannot be read on
			return r.String()
		case html.TextToken:
			r.text(string(tokens.Text()))
		case html.StartTagToken:
			r.start(tokens.Token(), false)
		case html.SelfClosingTagToken:
			r.start(tokens.Token(), true)
		case html.EndTagToken:
			r.end(tokens.Token())
		}
	}
}

// reader writes what is visible, with one space between words and one line per block.
type reader struct {
	strings.Builder

	hidden string // the element that hides what is inside of it; empty: none
	depth  int    // of elements of that name, itself included
	space  bool   // is due before the next word
	breaks int    // are due before the next word
}

func (r *reader) text(text string) {
	if r.hidden != "" {
		return
	}
	r.space = r.space || text != strings.TrimLeftFunc(text, unicode.IsSpace)
	for i, word := range strings.Fields(text) {
		r.space = r.space || i > 0
		r.word(word)
	}
	r.space = r.space || text != strings.TrimRightFunc(text, unicode.IsSpace)
}

func (r *reader) word(word string) {
	switch {
	case r.Len() == 0:
	case r.breaks > 0:
		r.WriteString(strings.Repeat("\n", min(r.breaks, 2)))
	case r.space:
		r.WriteByte(' ')
	}
	r.breaks, r.space = 0, false
	r.WriteString(word)
}

func (r *reader) start(token html.Token, closed bool) {
	switch {
	case r.hidden != "":
		if token.Data == r.hidden && !closed {
			r.depth++
		}
	case token.DataAtom == atom.Br:
		r.breaks++
	case hides(token):
		if !closed && !isVoid(token.DataAtom) {
			r.hidden, r.depth = token.Data, 1
		}
	default:
		r.block(token.DataAtom)
	}
}

func (r *reader) end(token html.Token) {
	if r.hidden != "" {
		if token.Data != r.hidden {
			return
		}
		if r.depth--; r.depth > 0 {
			return
		}
		r.hidden = ""
	}
	r.block(token.DataAtom)
}

// block ends the line at the edges of blocks, and a table's cell with a space.
func (r *reader) block(name atom.Atom) {
	switch name {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Table, atom.Blockquote, atom.Pre, atom.Hr:
		r.breaks = max(r.breaks, 2)
	case atom.Div, atom.Li, atom.Tr, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Dt, atom.Dd, atom.Address:
		r.breaks = max(r.breaks, 1)
	case atom.Td, atom.Th:
		r.space = true
	}
}

// hides says that a person sees nothing of an element. What is hidden from people speaks to machines alone,
// which is where injected instructions are put.
func hides(token html.Token) bool {
	switch token.DataAtom {
	case atom.Script, atom.Style, atom.Title, atom.Template:
		return true
	}
	for _, a := range token.Attr {
		style := strings.ToLower(strings.ReplaceAll(a.Val, " ", ""))
		switch {
		case a.Key == "hidden":
			return true
		case a.Key == "style" && (strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden")):
			return true
		}
	}
	return false
}

// isVoid says that an element has no end tag (HTML Living Standard §13.1.2).
func isVoid(name atom.Atom) bool {
	switch name {
	case atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link, atom.Meta, atom.Source, atom.Track, atom.Wbr:
		return true
	}
	return false
}
