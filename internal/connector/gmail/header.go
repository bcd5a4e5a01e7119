package gmail

import (
	"mime"
	"strings"

	"golang.org/x/net/html/charset"
	gmailapi "google.golang.org/api/gmail/v1"
)

// header is the text of a message's first header of that name, decoded.
func header(m *gmailapi.Message, name string) string {
	if m.Payload == nil {
		return ""
	}
	return headerOf(m.Payload, name)
}

func headerOf(part *gmailapi.MessagePart, name string) string {
	for _, h := range part.Headers {
		if strings.EqualFold(h.Name, name) {
			return decodeWords(h.Value)
		}
	}
	return ""
}

// decodeWords decodes what RFC 2047 encodes. Gmail has done so already; the emulator of our tests has not.
func decodeWords(text string) string {
	decoder := mime.WordDecoder{CharsetReader: charset.NewReaderLabel}
	decoded, err := decoder.DecodeHeader(text)
	if err != nil {
		return text
	}
	return decoded
}
