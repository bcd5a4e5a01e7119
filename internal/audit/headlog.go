package audit

import "golang.org/x/mod/sumdb/tlog"

// headLog is the Merkle tree (RFC 6962 §2.1, hashes of sumdb/tlog) over every chain head ever signed, in
// the order of signing. It keeps only the roots of complete subtrees, at most 63 of them, so adding n
// heads costs n and not the number of chains.
type headLog struct {
	size  int64
	roots []subtree // from the largest to the smallest
}

type subtree struct {
	level int
	hash  tlog.Hash
}

func (l *headLog) add(record []byte) {
	t := subtree{hash: tlog.RecordHash(record)}
	for n := len(l.roots); n > 0 && l.roots[n-1].level == t.level; n-- {
		t = subtree{t.level + 1, tlog.NodeHash(l.roots[n-1].hash, t.hash)}
		l.roots = l.roots[:n-1]
	}
	l.roots = append(l.roots, t)
	l.size++
}

// root is the tree's hash; of an empty tree it is the zero Hash, which nothing signs.
func (l *headLog) root() tlog.Hash {
	if l.size == 0 {
		return tlog.Hash{}
	}
	hash := l.roots[len(l.roots)-1].hash
	for i := len(l.roots) - 2; i >= 0; i-- {
		hash = tlog.NodeHash(l.roots[i].hash, hash)
	}
	return hash
}
