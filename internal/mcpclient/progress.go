package mcpclient

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Progress is what a server says about a call under way. Total is 0 when it does not know.
type Progress struct {
	Done, Total float64
	Message     string
}

// progressTable leads progress notifications to the calls they belong to.
type progressTable struct {
	mu    sync.Mutex
	next  int64
	calls map[string]*listener
}

const methodProgress = "notifications/progress"

// lastWords bounds how long the end of a call waits for notifications that came before its answer. go-sdk hands answers
// over at once and notifications one after the other, those of all calls of a session.
const lastWords = time.Second

// listener serialises one call's notifications with the end of that call: nothing arrives afterwards.
type listener struct {
	came atomic.Int64  // read off the wire before the answer
	told atomic.Int64  // handed over
	more chan struct{} // told has grown

	mu      sync.Mutex
	deliver func(Progress)
}

// watch returns the token to send along, and a stop that must be called. While its context lasts, it waits for what came
// before the answer.
func (t *progressTable) watch(deliver func(Progress)) (token string, stop func(context.Context)) {
	l := &listener{deliver: deliver, more: make(chan struct{}, 1)}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next++
	token = strconv.FormatInt(t.next, 10)
	if t.calls == nil {
		t.calls = map[string]*listener{}
	}
	t.calls[token] = l
	return token, func(ctx context.Context) {
		l.catchUp(ctx)
		t.mu.Lock()
		delete(t.calls, token)
		t.mu.Unlock()
		l.mu.Lock()
		l.deliver = nil
		l.mu.Unlock()
	}
}

// catchUp waits until everything that came was told.
func (l *listener) catchUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastWords)
	defer cancel()
	for l.told.Load() < l.came.Load() {
		select {
		case <-l.more:
		case <-ctx.Done():
			return
		}
	}
}

// of finds the call that a token was sent along with, nil if it is over.
func (t *progressTable) of(token string) *listener {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls[token]
}

// cameIn is came for a message as it was written.
func (t *progressTable) cameIn(message []byte) {
	var m struct {
		Method string          `json:"method"`
		Params json.RawMessage `json:"params"`
	}
	if decode(message, &m) == nil {
		t.came(m.Method, m.Params)
	}
}

// came counts a message off the wire if it is a notification. A nil table counts nothing: there is no call yet.
func (t *progressTable) came(method string, params json.RawMessage) {
	if t == nil || method != methodProgress {
		return
	}
	var p struct {
		Token string `json:"progressToken"`
	}
	if json.Unmarshal(params, &p) != nil {
		return
	}
	if l := t.of(p.Token); l != nil {
		l.came.Add(1)
	}
}

func (t *progressTable) handle(_ context.Context, req *mcp.ProgressNotificationClientRequest) {
	token, ok := req.Params.ProgressToken.(string)
	if !ok {
		return
	}
	l := t.of(token)
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deliver != nil {
		l.deliver(Progress{Done: req.Params.Progress, Total: req.Params.Total, Message: req.Params.Message})
	}
	l.told.Add(1)
	select {
	case l.more <- struct{}{}:
	default:
	}
}
