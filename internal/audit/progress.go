package audit

import "encoding/json"

// progressChannel is where workers tell how far the model has got: "<chain> <JSON object>".
const progressChannel = "steward_progress"

// Progress is the last that was told of a chain since its last event, an automation.Progress as JSON; its readers
// are woken when it changes. It is false when nothing was, or nobody read the chain then.
func (f *Feed) Progress(chain string) (json.RawMessage, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, ok := f.progress[chain]
	return now, ok
}

// keep takes what was told of a chain, unless nobody reads it here.
func (f *Feed) keep(chain string, now json.RawMessage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readers[chain] != nil && json.Valid(now) {
		f.progress[chain] = now
	}
}

// drop forgets what an event of the chain has made old.
func (f *Feed) drop(chain string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.progress, chain)
}
