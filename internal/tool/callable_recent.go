package tool

import (
	"context"
	"sync"
	"time"
)

// maxRecent is how many answers are kept before those that are too old are looked for.
const maxRecent = 1024

// recent keeps answers for a moment. Who comes while one is being made waits for it instead of asking again. The zero
// value is empty. Errors are not kept.
type recent[K comparable, V any] struct {
	mu      sync.Mutex
	answers map[K]*answered[V]
}

type answered[V any] struct {
	made  chan struct{} // closed when there is one
	value V
	err   error
	until time.Time // once made
}

// get returns what is known of key, or has ask find it out for everybody who waits. Ask goes on when the one who
// began it has gone, and must end by itself.
func (r *recent[K, V]) get(ctx context.Context, key K, age time.Duration, ask func(context.Context) (V, error)) (V, error) {
	a := r.find(key)
	if a == nil {
		a = r.begin(context.WithoutCancel(ctx), key, age, ask)
	}
	select {
	case <-a.made:
		return a.value, a.err
	default:
	}
	select {
	case <-a.made:
		return a.value, a.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// find returns an answer that is new enough, or is being made.
func (r *recent[K, V]) find(key K) *answered[V] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.answers[key]; a != nil && a.fresh() {
		return a
	}
	return nil
}

func (r *recent[K, V]) begin(ctx context.Context, key K, age time.Duration, ask func(context.Context) (V, error)) *answered[V] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.answers[key]; a != nil && a.fresh() { // somebody was faster
		return a
	}
	if len(r.answers) >= maxRecent {
		for k, a := range r.answers {
			if !a.fresh() {
				delete(r.answers, k)
			}
		}
	}
	if r.answers == nil {
		r.answers = map[K]*answered[V]{}
	}
	a := &answered[V]{made: make(chan struct{})}
	r.answers[key] = a
	go func() {
		a.value, a.err = ask(ctx)
		if a.err == nil {
			a.until = time.Now().Add(age)
		}
		close(a.made)
	}()
	return a
}

// fresh says that the answer counts still, or is awaited.
func (a *answered[V]) fresh() bool {
	select {
	case <-a.made:
		return time.Now().Before(a.until)
	default:
		return true
	}
}

// forget drops what is known of some keys. An answer being made reaches those who wait for it, and nobody after them.
func (r *recent[K, V]) forget(which func(K) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k := range r.answers {
		if which(k) {
			delete(r.answers, k)
		}
	}
}
