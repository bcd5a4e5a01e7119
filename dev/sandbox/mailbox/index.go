package mailbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// settle is how long after a change of the folder its time stamp may still hide another one: kernels stamp
// with the time of their last tick.
const settle = 50 * time.Millisecond

// index holds the folder's mails in memory: 10,000 of them are searched in about a millisecond. It looks
// at the folder's time stamp before every use; a file rewritten in place is not noticed.
type index struct {
	root *os.Root

	mu       sync.Mutex
	stamp    time.Time // of the folder when it was last read; zero means read again
	mails    map[string]*entry
	ordered  []*entry         // newest first
	postings map[string][]int // word → positions in ordered, ascending
}

type entry struct {
	id      string
	size    int64
	changed time.Time
	message *message // nil if unreadable
	words   []string
	from    string // lower case
	subject string
}

// query asks for mails that meet every condition given.
type query struct {
	words         []string
	after, before time.Time // after included, before not; zero means open
	from, subject string    // parts, lower case
}

// search returns the matching mails, newest first.
func (x *index) search(q query) ([]*entry, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.refresh(); err != nil {
		return nil, err
	}
	var found []*entry
	for _, i := range x.candidates(q.words) {
		e := x.ordered[i]
		date := e.message.Date
		if (q.after.IsZero() || !date.Before(q.after)) && (q.before.IsZero() || date.Before(q.before)) &&
			strings.Contains(e.from, q.from) && strings.Contains(e.subject, q.subject) {
			found = append(found, e)
		}
	}
	return found, nil
}

// get returns one mail, nil if there is none.
func (x *index) get(id string) (*entry, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.refresh(); err != nil {
		return nil, err
	}
	if e := x.mails[id]; e != nil && e.message != nil {
		return e, nil
	}
	return nil, nil
}

// candidates are the positions of mails that hold every word.
func (x *index) candidates(words []string) []int {
	if len(words) == 0 {
		all := make([]int, len(x.ordered))
		for i := range all {
			all[i] = i
		}
		return all
	}
	found := x.postings[words[0]]
	for _, w := range words[1:] {
		list := x.postings[w]
		var both []int
		for _, i := range found {
			if _, ok := slices.BinarySearch(list, i); ok {
				both = append(both, i)
			}
		}
		found = both
	}
	return found
}

// refresh reads the folder again if it changed. Mails already known are not parsed again.
func (x *index) refresh() error {
	info, err := x.root.Stat(".")
	if err != nil {
		return fmt.Errorf("looking at the mail folder: %w", err)
	}
	if info.ModTime().Equal(x.stamp) {
		return nil
	}
	began := time.Now()
	files, err := fs.ReadDir(x.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("listing the mail folder: %w", err)
	}
	mails := make(map[string]*entry, len(files))
	for _, f := range files {
		id, ok := strings.CutSuffix(f.Name(), ".eml")
		if !ok {
			continue
		}
		e, err := x.load(id, f)
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone meanwhile
		}
		if err != nil {
			return err
		}
		mails[id] = e
	}
	x.mails = mails
	x.arrange()
	x.stamp = info.ModTime()
	if began.Sub(info.ModTime()) < settle {
		x.stamp = time.Time{}
	}
	return nil
}

func (x *index) load(id string, f fs.DirEntry) (*entry, error) {
	info, err := f.Info()
	if err != nil {
		return nil, err
	}
	if old := x.mails[id]; old != nil && old.size == info.Size() && old.changed.Equal(info.ModTime()) {
		return old, nil
	}
	e := &entry{id: id, size: info.Size(), changed: info.ModTime()}
	file, err := x.root.Open(f.Name())
	if err != nil {
		return e, nil // such as a link that leads out of the folder: not a mail of ours
	}
	defer func() { _ = file.Close() }() // only read
	if m, err := parseMessage(file); err == nil {
		e.message, e.from, e.subject = m, strings.ToLower(m.From), strings.ToLower(m.Subject)
		e.words = words(m.Subject + "\n" + m.Body)
		slices.Sort(e.words)
		e.words = slices.Compact(e.words)
	}
	return e, nil
}

// arrange sorts the readable mails and indexes their words.
func (x *index) arrange() {
	x.ordered = x.ordered[:0]
	for _, e := range x.mails {
		if e.message != nil {
			x.ordered = append(x.ordered, e)
		}
	}
	slices.SortFunc(x.ordered, func(a, b *entry) int {
		if c := b.message.Date.Compare(a.message.Date); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	x.postings = map[string][]int{}
	for i, e := range x.ordered {
		for _, w := range e.words {
			x.postings[w] = append(x.postings[w], i)
		}
	}
}
