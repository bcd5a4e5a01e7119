package addressee

import (
	"slices"
	"strings"
	"unicode"
)

// receiverKeys are names of fields that say who receives something.
var receiverKeys = []string{
	"addressee", "attendee", "bcc", "cc", "channel", "channelid", "chat", "chatid", "email", "emailaddress", "forwardto", "guest",
	"invitee", "mailto", "phone", "phonenumber", "receiver", "recipient", "replyto", "sendto", "sharewith", "to", "tonumber", "topic",
}

// hostWords are words in the names of fields that take a host.
var hostWords = []string{
	"callback", "domain", "endpoint", "host", "hostname", "href", "link", "origin", "server", "site", "src", "target", "uri", "url",
	"webhook", "website",
}

// pathWords are words in the names of fields that take a file's path.
var pathWords = []string{"dir", "directory", "file", "filename", "folder", "path"}

func receiverKey(key string) bool {
	name := strings.Join(words(key), "")
	return slices.Contains(receiverKeys, name) || slices.Contains(receiverKeys, strings.TrimSuffix(name, "s")) ||
		slices.Contains(receiverKeys, strings.TrimSuffix(name, "es"))
}

func hostKey(key string) bool { return named(key, hostWords) }

func pathKey(key string) bool { return named(key, pathWords) && !hostKey(key) }

func named(key string, in []string) bool {
	return slices.ContainsFunc(words(key), func(w string) bool {
		return slices.Contains(in, w) || slices.Contains(in, strings.TrimSuffix(w, "s"))
	})
}

// words splits reply_to, reply-to and replyTo alike.
func words(key string) []string {
	var spaced strings.Builder
	lower := false
	for _, r := range key {
		if unicode.IsUpper(r) && lower {
			spaced.WriteByte(' ')
		}
		lower = unicode.IsLower(r)
		spaced.WriteRune(unicode.ToLower(r))
	}
	return strings.FieldsFunc(spaced.String(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}
