package addressee

import (
	"fmt"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Known are the addressees that somebody has named who may. It is not changed once it is made.
type Known struct {
	mails, domains, hosts map[string]bool
	words                 string // the instructions, for names that are no addresses
	text                  string
}

// Allow reads the setting: mail addresses, @domains, hosts.
func Allow(entries []string) (*Known, error) {
	k := &Known{mails: map[string]bool{}, domains: map[string]bool{}, hosts: map[string]bool{}}
	for _, e := range entries {
		e = strings.TrimSpace(e)
		local, domain, isMail := strings.Cut(e, "@")
		if !isMail {
			local, domain = "", e
		}
		h, ok := host(domain)
		switch {
		case !ok:
			return nil, fmt.Errorf("%q is no mail address, no @domain and no host", e)
		case !isMail:
			k.hosts[h] = true
		case local == "":
			k.domains[h] = true
		default:
			k.mails[lowerASCII(local)+"@"+h] = true
		}
	}
	return k, nil
}

// With adds what the owner's own words name, and the owner's own mail accounts.
func (k *Known) With(instructions string, accounts []string) *Known {
	w := &Known{
		mails: maps.Clone(k.mails), domains: k.domains, hosts: maps.Clone(k.hosts), text: instructions,
		words: strings.ToLower(strings.Join(strings.Fields(instructions), " ")),
	}
	for _, a := range InText(instructions) {
		switch {
		case a.Unreadable:
		case a.Kind == Mail:
			w.mails[a.Value] = true
		case a.Kind == Host:
			w.hosts[a.Value] = true
		}
	}
	for _, account := range accounts {
		for a := range mailsIn(account) {
			if a.Kind == Mail && !a.Unreadable {
				w.mails[a.Value] = true
			}
		}
	}
	return w
}

// Has reports whether a is known. A host is known as a whole: neither its subdomains nor its parents are.
func (k *Known) Has(a Addressee) bool {
	switch {
	case a.Unreadable:
		return false
	case a.Kind == Host:
		return k.hosts[a.Value]
	case a.Kind == Mail:
		return k.mails[a.Value] || k.domains[a.Value[strings.LastIndexByte(a.Value, '@')+1:]]
	default:
		return k.says(a.Value)
	}
}

// Names reports whether the instructions hold the URL as it is, path and all.
func (k *Known) Names(url string) bool { return strings.Contains(k.text, url) }

// says looks for a name as words of its own; one or two letters are no name.
func (k *Known) says(name string) bool {
	if utf8.RuneCountInString(name) < 3 {
		return false
	}
	for at := 0; ; {
		next := strings.Index(k.words[at:], name)
		if next < 0 {
			return false
		}
		before, _ := utf8.DecodeLastRuneInString(k.words[:at+next])
		after, _ := utf8.DecodeRuneInString(k.words[at+next+len(name):])
		if !inWord(before) && !inWord(after) {
			return true
		}
		at += next + 1
	}
}

func inWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune("_@-", r))
}
