package audit

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strconv"

	"steward/internal/store"
)

// eventHash is the rule of audit_append in migration 00002, computed without the database.
func eventHash(previous []byte, e *store.AuditEvent) []byte {
	b := make([]byte, 0, len(previous)+len(e.EventKey)+len(e.Kind)+len(e.Actor)+len(e.Body)+48)
	b = append(b, previous...)
	b = append(strconv.AppendInt(b, e.Seq, 10), '\n')
	b = append(strconv.AppendInt(b, e.At.UnixMicro(), 10), '\n')
	for _, part := range []string{e.EventKey, e.Kind, e.Actor, e.Body} {
		b = append(append(b, part...), '\n')
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// walk follows one chain from its first event to its head and stops judging at the first break: what
// comes after a break cannot be trusted either way.
type walk struct {
	chain  string
	head   *store.AuditChain
	signed []signedHead // what checkpoints say of this chain, ascending
	seq    int64
	hash   []byte
	broken bool
	report *Report
}

func (w *walk) fail(seq int64, p Problem, format string, args ...any) {
	w.broken = true
	w.report.add(Finding{Chain: w.chain, Seq: seq, Problem: p, Detail: fmt.Sprintf(format, args...)})
}

func (w *walk) next(e *store.AuditEvent) {
	if w.broken {
		return
	}
	switch {
	case e.Seq < 1:
		w.fail(e.Seq, Inserted, "there is no event with this number")
		return
	case e.Seq != w.seq+1:
		w.fail(w.seq+1, Missing, "the next event is %d", e.Seq)
		return
	case !bytes.Equal(e.Hash, eventHash(w.hash, e)):
		w.fail(e.Seq, Altered, "the event does not match its hash")
		return
	}
	w.seq, w.hash = e.Seq, e.Hash
	for len(w.signed) > 0 && w.signed[0].seq == e.Seq {
		if !bytes.Equal(w.signed[0].hash, e.Hash) {
			w.fail(e.Seq, Rewritten, "a signed checkpoint knows another event here")
			return
		}
		w.signed = w.signed[1:]
	}
}

// end compares the last event with the chain's head and with the checkpoints that know more.
func (w *walk) end() {
	switch {
	case w.broken:
	case w.seq < w.head.Seq:
		w.fail(w.seq+1, Missing, "the chain has %d events", w.head.Seq)
	case w.seq > w.head.Seq:
		w.fail(w.head.Seq+1, Inserted, "the chain has only %d events", w.head.Seq)
	case !bytes.Equal(w.hash, w.head.Head):
		w.fail(w.seq, Altered, "the event is not the chain's head")
	case len(w.signed) > 0:
		w.fail(w.seq+1, Missing, "a signed checkpoint knows event %d", w.signed[0].seq)
	}
}
