package mcpclient

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// MaxMessage is the largest message accepted from a server, in bytes.
const MaxMessage = 10 << 20

// wire records what one request looked like below go-sdk. The SDK decodes results into its own types,
// which lose absent hints, big numbers and unknown content, and its errors do not say whether anything was
// sent; both transports therefore report here, and find the wire in the request's context.
type wire struct {
	done   <-chan struct{} // of the request's context
	cancel context.CancelFunc

	mu         sync.Mutex
	closed     bool
	sent       bool          // at least the head of the request left us
	hadSession bool          // it named a session id
	status     int           // of the last HTTP answer
	retryAfter time.Duration // from that answer
	tooLarge   bool
	body       bytes.Buffer // what HTTP answered so far
	stream     bool         // body is an event stream
	answer     answer
	forget     func() // tells stdio to wait no longer
}

// answer is the response to a request; both fields are nil if none came.
type answer struct {
	result json.RawMessage
	fault  *jsonrpc.Error
}

type wireKey struct{}

// withWire returns a context whose next request is recorded. finish must be called.
func withWire(ctx context.Context) (context.Context, *wire) {
	ctx, cancel := context.WithCancel(ctx)
	w := &wire{done: ctx.Done(), cancel: cancel}
	return context.WithValue(ctx, wireKey{}, w), w
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
	if w.body.Len() > 0 {
		w.answer = answerIn(w.body.Bytes(), w.stream)
		w.body = bytes.Buffer{}
	}
	if w.status >= 300 {
		w.answer.result = nil
	}
	return w.answer
}

// answerIn finds the one response in an HTTP body.
func answerIn(body []byte, stream bool) answer {
	if !stream {
		return answerOf(body)
	}
	for data := range events(body) {
		if a := answerOf(data); a.result != nil || a.fault != nil {
			return a
		}
	}
	return answer{}
}

func answerOf(message []byte) answer {
	var m struct {
		Result json.RawMessage `json:"result"`
		Error  *jsonrpc.Error  `json:"error"`
		Method *string         `json:"method"`
	}
	if err := json.Unmarshal(message, &m); err != nil || m.Method != nil {
		return answer{}
	}
	return answer{result: m.Result, fault: m.Error}
}
