package audit

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// tree is what a checkpoint signs: the head log's size and root.
type tree struct {
	size int64
	root tlog.Hash
}

// text is what is signed: origin, size and root, a line each (c2sp.org/tlog-checkpoint).
func (t tree) text(origin string) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, t.size, t.root)
}

var errCheckpoint = errors.New("not a checkpoint")

// openCheckpoint checks the signature and reads what was signed.
func openCheckpoint(msg string, keys note.Verifiers) (tree, error) {
	n, err := note.Open([]byte(msg), keys)
	if err != nil {
		return tree{}, fmt.Errorf("open checkpoint: %w", err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 {
		return tree{}, errCheckpoint
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 1 {
		return tree{}, errCheckpoint
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tree{}, errCheckpoint
	}
	return tree{size, root}, nil
}

// signedHead is a record of the head log: the chain's event seq had this hash.
type signedHead struct {
	chain string
	seq   int64
	hash  []byte
}

// record is the line that the tree hashes.
func (h signedHead) record() []byte {
	return fmt.Appendf(nil, "%s %d %s\n", h.chain, h.seq, base64.StdEncoding.EncodeToString(h.hash))
}

func parseHead(line string) (signedHead, error) {
	parts := strings.Split(line, " ")
	if len(parts) != 3 || parts[0] == "" {
		return signedHead{}, errCheckpoint
	}
	seq, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return signedHead{}, errCheckpoint
	}
	hash, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return signedHead{}, errCheckpoint
	}
	return signedHead{parts[0], seq, hash}, nil
}

// packHeads and eachHead are the form of audit_checkpoints.heads: gzip of the new records.
func packHeads(heads []signedHead) ([]byte, error) {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	for _, h := range heads {
		if _, err := z.Write(h.record()); err != nil {
			return nil, fmt.Errorf("pack heads: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack heads: %w", err)
	}
	return buf.Bytes(), nil
}

func eachHead(packed []byte, fn func(signedHead)) error {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return errCheckpoint
	}
	lines := bufio.NewReader(z)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			return nil
		}
		if err != nil {
			return errCheckpoint
		}
		head, err := parseHead(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return err
		}
		fn(head)
	}
}
