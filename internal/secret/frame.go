package secret

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"sync"

	"steward/internal/fault"
)

// A frame is what lies inside a token: one head byte, the three fields of the binding each behind its
// length (uvarint), then the body. Lengths make the binding's encoding prefix-free, so opening needs no
// parser: the frame must begin with the binding that the reader expects.
const (
	frameV1   byte = 0x01
	frameZlib byte = 0x11 // version 1, body compressed

	// compressFrom is the size from which compression is tried. Below it the gain is small, and values
	// as short as passwords and tokens should not have lengths that depend on their content.
	compressFrom = 1 << 10
)

func frame(b Binding, body []byte) []byte {
	head := frameV1
	if len(body) > compressFrom {
		if small := deflate(body); len(small) < len(body) {
			head, body = frameZlib, small
		}
	}
	out := make([]byte, 0, 1+3*binary.MaxVarintLen16+len(b.Owner)+len(b.Purpose)+len(b.Ref)+len(body))
	out = appendBinding(append(out, head), b)
	return append(out, body...)
}

func unframe(b Binding, framed []byte) ([]byte, error) {
	if len(framed) == 0 || framed[0] != frameV1 && framed[0] != frameZlib {
		return nil, malformed()
	}
	body, ok := bytes.CutPrefix(framed[1:], appendBinding(nil, b))
	if !ok {
		return nil, fault.New(fault.Internal, "a sealed value lies where it does not belong").WithCode(CodeMisplaced)
	}
	if framed[0] == frameZlib {
		return inflate(body)
	}
	return body, nil
}

func appendBinding(dst []byte, b Binding) []byte {
	for _, field := range []string{b.Owner, b.Purpose, b.Ref} {
		dst = binary.AppendUvarint(dst, uint64(len(field)))
		dst = append(dst, field...)
	}
	return dst
}

// deflaters are reused because each holds several hundred kilobytes of tables.
var deflaters = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

func deflate(body []byte) []byte {
	var out bytes.Buffer
	w := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	// Neither call can fail: a bytes.Buffer takes everything.
	_, _ = w.Write(body)
	_ = w.Close()
	return out.Bytes()
}

// inflate trusts its input, which only a holder of the key can have made.
func inflate(body []byte) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, malformed()
	}
	plain, err := io.ReadAll(r)
	if err != nil || r.Close() != nil {
		return nil, malformed()
	}
	return plain, nil
}
