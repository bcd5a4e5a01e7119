package audit

import (
	"context"
	"time"

	"steward/internal/store"
)

const (
	followFor   = 3 * time.Minute // without a word from us, events are no longer announced
	followAgain = time.Minute
	followRetry = 250 * time.Millisecond // PostgreSQL was away
)

// follow keeps the chains that somebody reads registered: audit_append announces no others.
func (f *Feed) follow(ctx context.Context) {
	again := time.NewTicker(followAgain)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			f.leave(ctx)
			return
		case <-f.news:
		case <-again.C:
			f.renew()
			f.forget(ctx)
			continue // renew has left news
		}
		if !f.register(ctx) {
			select {
			case <-ctx.Done():
			case <-time.After(followRetry):
				ready(f.news)
			}
		}
	}
}

// register announces the fresh chains and wakes their readers, who may have missed an event until now.
func (f *Feed) register(ctx context.Context) bool {
	chains := f.take()
	for i, chain := range chains {
		if err := f.db.FollowAudit(ctx, store.FollowAuditParams{Chain: chain, Follower: f.name, Ttl: followFor}); err != nil {
			if ctx.Err() == nil {
				f.log.DebugContext(ctx, "chain not followed yet", "chain", chain, "error", err)
			}
			f.put(chains[i:])
			return false
		}
		f.wake(chain)
	}
	return true
}

// renew makes every chain that is read fresh.
func (f *Feed) renew() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for chain := range f.readers {
		f.fresh[chain] = true
	}
	ready(f.news)
}

func (f *Feed) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	chains := make([]string, 0, len(f.fresh))
	for chain := range f.fresh {
		chains = append(chains, chain)
	}
	clear(f.fresh)
	return chains
}

func (f *Feed) put(chains []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, chain := range chains {
		if f.readers[chain] != nil {
			f.fresh[chain] = true
		}
	}
}

// forget drops followers that have gone, ours and others'.
func (f *Feed) forget(ctx context.Context) {
	f.mu.Lock()
	chains := make([]string, 0, len(f.readers))
	for chain := range f.readers {
		chains = append(chains, chain)
	}
	f.mu.Unlock()
	if err := f.db.ForgetFollowers(ctx, store.ForgetFollowersParams{Follower: f.name, Chains: chains}); err != nil && ctx.Err() == nil {
		f.log.DebugContext(ctx, "followers not tidied up", "error", err)
	}
}

// leave is the last word; without it the registration runs out.
func (f *Feed) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = f.db.ForgetFollowers(ctx, store.ForgetFollowersParams{Follower: f.name, Chains: []string{}})
}
