package mcpclient

import (
	"context"
	"strconv"
	"sync"

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

// listener serialises one call's notifications with the end of that call: nothing arrives afterwards.
type listener struct {
	mu      sync.Mutex
	deliver func(Progress)
}

// watch returns the token to send along, and a stop that must be called.
func (t *progressTable) watch(deliver func(Progress)) (token string, stop func()) {
	l := &listener{deliver: deliver}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next++
	token = strconv.FormatInt(t.next, 10)
	if t.calls == nil {
		t.calls = map[string]*listener{}
	}
	t.calls[token] = l
	return token, func() {
		t.mu.Lock()
		delete(t.calls, token)
		t.mu.Unlock()
		l.mu.Lock()
		l.deliver = nil
		l.mu.Unlock()
	}
}

func (t *progressTable) handle(_ context.Context, req *mcp.ProgressNotificationClientRequest) {
	token, ok := req.Params.ProgressToken.(string)
	if !ok {
		return
	}
	t.mu.Lock()
	l := t.calls[token]
	t.mu.Unlock()
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deliver != nil {
		l.deliver(Progress{Done: req.Params.Progress, Total: req.Params.Total, Message: req.Params.Message})
	}
}
