package audit

import (
	"cmp"
	"context"
	"os"
	"slices"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"steward/internal/store"
)

// signedHeads is what valid checkpoints say, by chain and ascending.
type signedHeads map[string][]signedHead

// readSigned replays the checkpoints of the database and compares them with those of the file. It stops
// at the first one that does not hold; what came before it still counts. only limits the result to one
// chain unless it is empty.
func (v *Verifier) readSigned(ctx context.Context, q *store.Queries, only string, r *Report) (signedHeads, error) {
	known := map[int64]tlog.Hash{} // root by size
	var log headLog
	all := signedHeads{}
	for after, more := int64(0), true; more; {
		page, err := q.ListCheckpoints(ctx, store.ListCheckpointsParams{AfterID: after, PageSize: checkpointPage})
		if err != nil {
			return nil, err
		}
		more = len(page) == checkpointPage
		for _, row := range page {
			after = row.ID
			if v.keys == nil {
				r.unsure("checkpoints are not verified: no public key")
				return signedHeads{}, nil
			}
			heads, ok := v.replay(row, &log, r)
			if !ok {
				more = false
				break
			}
			r.Checkpoints++
			known[log.size] = log.root()
			for _, h := range heads {
				if only == "" || h.chain == only {
					all[h.chain] = append(all[h.chain], h)
				}
			}
		}
	}
	for _, heads := range all {
		slices.SortStableFunc(heads, func(a, b signedHead) int { return cmp.Compare(a.seq, b.seq) })
	}
	v.compareFile(known, r)
	return all, nil
}

// replay adds a checkpoint's heads to the log and checks that they lead to the signed root.
func (v *Verifier) replay(row *store.AuditCheckpoint, log *headLog, r *Report) ([]signedHead, bool) {
	t, err := openCheckpoint(row.Note, v.keys)
	if err != nil {
		r.add(Finding{Seq: row.ID, Problem: Unsigned, Detail: "its signature is not of a known key"})
		return nil, false
	}
	var heads []signedHead
	err = eachHead(row.Heads, func(h signedHead) {
		log.add(h.record())
		heads = append(heads, h)
	})
	if err != nil || log.size != t.size || log.root() != t.root {
		r.add(Finding{Seq: row.ID, Problem: Altered, Detail: "its heads, or those of a checkpoint before it, are not the signed ones"})
		return nil, false
	}
	return heads, true
}

// compareFile demands that every checkpoint written outside the database is still known inside.
func (v *Verifier) compareFile(known map[int64]tlog.Hash, r *Report) {
	if v.file == "" || v.keys == nil {
		return
	}
	f, err := os.Open(v.file)
	if err != nil {
		r.unsure("the checkpoint file cannot be opened")
		return
	}
	defer func() { _ = f.Close() }() // only read
	entries, err := readCheckpoints(f)
	if err != nil {
		r.unsure("the checkpoint file cannot be read: %v", err)
		return
	}
	for _, e := range entries {
		t, err := openCheckpoint(e.Note, v.keys)
		if err != nil {
			r.add(Finding{Seq: e.ID, Problem: Unsigned, Detail: "in the checkpoint file: its signature is not of a known key"})
			continue
		}
		if root, ok := known[t.size]; !ok || root != t.root {
			r.add(Finding{Seq: e.ID, Problem: RolledBack, Detail: "the checkpoint file has it, the database does not"})
			return // and neither any later one
		}
	}
}

func verifiers(publicKeys []string) (note.Verifiers, error) {
	if len(publicKeys) == 0 {
		return nil, nil
	}
	var list []note.Verifier
	for _, k := range publicKeys {
		v, err := note.NewVerifier(k)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return note.VerifierList(list...), nil
}
