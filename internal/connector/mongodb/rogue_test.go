package mongodb_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// Codes of MongoDB's wire protocol. https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
const (
	opReply   = 1
	opQuery   = 2004
	opMessage = 2013
)

// rogue is a server that says whatever a test wants.
type rogue struct {
	address string
	hello   bson.D // beside what every server says
	answers map[string]bson.D
	raw     map[string][]byte // whole messages instead of answers

	mu   sync.Mutex
	seen map[string]bson.Raw // the last of each command
}

// serve begins to answer on loopback.
func (r *rogue) serve(t *testing.T, wrap func(net.Listener) net.Listener) *rogue {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r.address, r.seen = listener.Addr().String(), map[string]bson.Raw{}
	if wrap != nil {
		listener = wrap(listener)
	}
	var group sync.WaitGroup
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		group.Wait()
	})
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer func() { _ = conn.Close() }()
				for r.turn(conn) {
				}
			})
		}
	})
	return r
}

func (r *rogue) uri(query string) string {
	return "mongodb://eve:" + secretWord + "@" + r.address + "/shop?authMechanism=PLAIN" + query
}

// turn answers one message; false: the conversation is over.
func (r *rogue) turn(conn net.Conn) bool {
	var header struct{ Length, Request, To, Code int32 }
	if binary.Read(conn, binary.LittleEndian, &header) != nil {
		return false
	}
	body := make([]byte, header.Length-16)
	if _, err := io.ReadFull(conn, body); err != nil {
		return false
	}
	at := 5 // flags and the kind of the section
	if header.Code == opQuery {
		at = 4 + bytes.IndexByte(body[4:], 0) + 1 + 8
	}
	size := binary.LittleEndian.Uint32(body[at:])
	command := bson.Raw(body[at : at+int(size)])
	elements, err := command.Elements()
	if err != nil {
		return false
	}
	name := elements[0].Key()
	r.mu.Lock()
	r.seen[name] = command
	r.mu.Unlock()
	if message := r.raw[name]; message != nil {
		_, err := conn.Write(message)
		return err == nil
	}
	doc, err := bson.Marshal(r.answer(name))
	if err != nil {
		return false
	}
	var reply bytes.Buffer
	code, head := int32(opMessage), make([]byte, 5)
	if header.Code == opQuery {
		code, head = opReply, append(make([]byte, 16), 1, 0, 0, 0)
	}
	for _, part := range []int32{int32(16 + len(head) + len(doc)), 1, header.Request, code} {
		_ = binary.Write(&reply, binary.LittleEndian, part) // into memory
	}
	reply.Write(head)
	reply.Write(doc)
	_, err = conn.Write(reply.Bytes())
	return err == nil
}

func (r *rogue) answer(name string) bson.D {
	ok := bson.E{Key: "ok", Value: 1}
	if doc, found := r.answers[name]; found {
		if doc[0].Key == "ok" {
			return doc
		}
		return append(bson.D{ok}, doc...)
	}
	switch name {
	case "hello", "isMaster", "ismaster":
		return append(bson.D{
			ok,
			{Key: "isWritablePrimary", Value: true},
			{Key: "ismaster", Value: true},
			{Key: "helloOk", Value: true},
			{Key: "minWireVersion", Value: 0},
			{Key: "maxWireVersion", Value: 21},
			{Key: "maxBsonObjectSize", Value: 16 << 20},
		}, r.hello...)
	case "saslStart":
		return bson.D{ok, {Key: "conversationId", Value: 1}, {Key: "done", Value: true}, {Key: "payload", Value: bson.Binary{}}}
	case "listCollections", "find", "aggregate":
		return batch()
	}
	return bson.D{ok}
}

// batch is the whole answer of a cursor.
func batch(documents ...any) bson.D {
	return bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: bson.D{
		{Key: "id", Value: int64(0)}, {Key: "ns", Value: "shop.x"}, {Key: "firstBatch", Value: append(bson.A{}, documents...)},
	}}}
}

func (r *rogue) last(name string) bson.Raw {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[name]
}
