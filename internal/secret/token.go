package secret

import (
	"bytes"
	"encoding/base64"

	"github.com/fernet/fernet-go"

	"steward/internal/fault"
)

// minToken is a version byte, time, IV, one block and the MAC, before base64.
const minToken = 1 + 8 + 16 + 16 + 32

// decrypt tries keys in order. The library ignores decoding errors, so text that is not canonical is
// refused before it gets there; whatever still panics behind the MAC becomes an error.
func decrypt(token []byte, keys []*fernet.Key) (framed []byte, err error) {
	defer func() {
		if recover() != nil {
			framed, err = nil, malformed()
		}
	}()
	if !canonicalToken(token) {
		return nil, malformed()
	}
	framed = fernet.VerifyAndDecrypt(token, 0, keys)
	if framed == nil {
		return nil, noKey()
	}
	return framed, nil
}

// canonicalToken reports whether token is the one text that encodes its bytes: strict base64 with
// padding and no line breaks (which Go's decoder skips), of a length that Fernet can produce.
func canonicalToken(token []byte) bool {
	if bytes.ContainsAny(token, "\r\n") {
		return false
	}
	raw, err := base64.URLEncoding.Strict().AppendDecode(nil, token)
	return err == nil && len(raw) >= minToken && (len(raw)-minToken)%16 == 0
}

func noKey() error {
	return fault.New(fault.Internal, "a sealed value is damaged or its key is missing").WithCode(CodeNoKey)
}

func malformed() error {
	return fault.New(fault.Internal, "a sealed value is malformed").WithCode(CodeMalformed)
}
