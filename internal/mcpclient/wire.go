package mcpclient

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// MaxMessage is the largest message accepted from a server, in bytes.
const MaxMessage = 10 << 20

// wire records what one request looked like below go-sdk. The SDK decodes results into its own types,
// which lose absent hints, big numbers and unknown content, and its errors do not say whether anything was
// sent; both transports therefore report here, and find the wire in the request's context.
type wire struct {
	done   <-chan struct{} // of the request's context
	cancel context.CancelFunc
	name   string // what the request is about, for the header Mcp-Name; empty: go-sdk knows

	progress *progressTable // of the session; nil while there is none

	mu         sync.Mutex
	closed     bool
	sent       bool          // at least the head of the request left us
	hadSession bool          // it named a session id
	status     int           // of the last HTTP answer
	retryAfter time.Duration // from that answer
	challenge  []string      // likewise
	tooLarge   bool
	body       bytes.Buffer // what HTTP answered so far
	stream     bool         // body is an event stream
	answer     answer
	forget     func() // tells stdio to wait no longer
}

// answer is the response to a request. All fields are zero if none came.
type answer struct {
	result  json.RawMessage
	fault   *jsonrpc.Error
	unclear bool // it says something twice
}

func (a answer) came() bool { return a.result != nil || a.fault != nil || a.unclear }

type wireKey struct{}

// withWire returns a context whose next request is recorded. finish must be called, and ends it.
func withWire(ctx context.Context) (context.Context, *wire) {
	ctx, cancel := context.WithCancel(bare{ctx})
	w := &wire{done: ctx.Done(), cancel: cancel}
	return context.WithValue(ctx, wireKey{}, w), w
}

// bare is a context without what go-sdk has put into it. Its server keeps the revision of the request that it serves
// there, and its client takes what it finds there for the revision of its own: a server of an older one would be spoken
// to in that of whoever called us.
type bare struct{ context.Context }

var sdkPath = reflect.TypeFor[mcp.Tool]().PkgPath()

// Value hides what has a key of go-sdk's. Everything else must be found: by its values package context knows how to pass
// an end on at once.
func (b bare) Value(key any) any {
	if reflect.TypeOf(key).PkgPath() == sdkPath {
		return nil
	}
	return b.Context.Value(key)
}

// wireOf returns the wire of the request that ctx belongs to, nil if there is none. After cancellation the
// SDK reuses the context's values to send notifications/cancelled: that is not the request any more.
func wireOf(ctx context.Context) *wire {
	w, _ := ctx.Value(wireKey{}).(*wire)
	if w == nil {
		return nil
	}
	select {
	case <-w.done:
		return nil
	default:
		return w
	}
}

// record changes the wire unless its request is over.
func (w *wire) record(change func(*wire)) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		change(w)
	}
}

// refused reports whether the last answer asks for other credentials, or for patience, whatever is sent.
func (w *wire) refused() bool {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status == http.StatusUnauthorized || w.status == http.StatusTooManyRequests || len(w.challenge) > 0
}

// finish ends the recording and returns the answer. The fields may be read without the lock from here on.
func (w *wire) finish() answer {
	w.mu.Lock()
	w.closed = true
	forget := w.forget
	w.mu.Unlock()
	w.cancel()
	if forget != nil {
		forget() // without our lock: stdio takes its own first
	}
	if w.body.Len() > 0 && !w.answer.came() { // otherwise it is what the SSE transport says to a POST
		w.answer = answerIn(w.body.Bytes(), w.stream, w.progress)
	}
	w.body = bytes.Buffer{}
	if w.status >= 300 {
		w.answer.result = nil
	}
	return w.answer
}

// answerIn finds the one response in an HTTP body, and counts the progress before it.
func answerIn(body []byte, stream bool, progress *progressTable) answer {
	if !stream {
		return answerOf(body)
	}
	r := newEventReader(bytes.NewReader(body))
	for {
		e, err := r.next()
		if err != nil {
			return answer{}
		}
		if a := answerOf(e.data); a.came() {
			return a
		}
		progress.cameIn(e.data)
	}
}

// answerOf reads one message, as go-sdk does: see decode.
func answerOf(message []byte) answer {
	var m struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
		Method json.RawMessage `json:"method"`
	}
	if err := decode(message, &m); err != nil || m.Method != nil {
		return answer{}
	}
	a := answer{result: m.Result}
	if m.Error != nil {
		a.fault = &jsonrpc.Error{}
		if err := decode(m.Error, a.fault); err != nil {
			return answer{}
		}
	}
	if a.came() && repeats(message) {
		return answer{unclear: true}
	}
	return a
}
