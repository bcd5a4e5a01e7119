package redis_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/connector"
	"steward/internal/connector/redis"
	"steward/internal/egress"
	"steward/internal/fault"
)

// rogue is a server that answers commands as it likes, and counts who has called.
type rogue struct {
	port   int
	calls  atomic.Int32
	answer func(command []string) string
	again  bool // each answer over and over
}

func newRogue(t *testing.T, r *rogue) *rogue {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r.port = listener.Addr().(*net.TCPAddr).Port
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.calls.Add(1)
			go r.serve(conn)
		}
	}()
	return r
}

// serve lets everybody in. Its errors are the other side's hanging up.
func (r *rogue) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		command, err := request(in)
		if err != nil {
			return
		}
		answer, again := "-ERR unknown command\r\n", false
		if command[0] != "hello" {
			answer, again = r.answer(command), r.again
		}
		for {
			if _, err := io.WriteString(conn, answer); err != nil {
				return
			}
			if !again {
				break
			}
		}
	}
}

// says is an answer to everything.
func says(answer string) func([]string) string { return func([]string) string { return answer } }

// request reads a command.
func request(in *bufio.Reader) ([]string, error) {
	n, err := length(in, "*")
	if err != nil {
		return nil, err
	}
	words := make([]string, 0, n)
	for range n {
		size, err := length(in, "$")
		if err != nil {
			return nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(in, word); err != nil {
			return nil, err
		}
		words = append(words, string(word[:size]))
	}
	return words, nil
}

func length(in *bufio.Reader, kind string) (int, error) {
	header, err := in.ReadString('\n')
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(header, kind)))
}

func (r *rogue) form() filled { return filled{"host": "127.0.0.1", "port": r.port} }

// A server may be anybody's. What it answers is bounded in time and memory, and leads nowhere else (security.md T-08).
func TestT08RogueServer(t *testing.T) {
	t.Parallel()
	elsewhere := newRogue(t, &rogue{answer: says("+OK\r\n")})
	there := net.JoinHostPort("127.0.0.1", strconv.Itoa(elsewhere.port))
	for _, tt := range []struct {
		name, answer string
		endless      bool
		reason       string
	}{
		{"moved", "-MOVED 1 " + there + "\r\n", false, "another node"},
		{"ask", "-ASK 1 " + there + "\r\n", false, "another node"},
		{"half a gigabyte", "$536870912\r\n", false, "larger than 4 MiB"},
		{"a billion values", "*1000000000\r\n", false, "larger than 4 MiB"},
		{"deep", strings.Repeat("*1\r\n", 1000), true, "larger than 4 MiB"},
		{"a line without an end", strings.Repeat("x", 1<<16), true, "no Redis server"},
		{"a message without an end", "+" + strings.Repeat("x", 1<<16), true, "larger than 4 MiB"},
		{"another protocol", "HTTP/1.1 400 Bad Request\r\n\r\n", false, "no Redis server"},
		{"not what was asked", "*2\r\n:1\r\n:2\r\n", false, "no Redis server"},
		{"nothing", "", false, "in time"},
		{"silence in the middle", "$10\r\nabc", false, "in time"},
		{"its own words", "-SORRY \x1b[31m go to\u202e " + strings.Repeat("z", 500) + "\r\n", false, "the server refuses: [31m go to zzz"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRogue(t, &rogue{answer: says(tt.answer), again: tt.endless})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			if !strings.Contains(tt.reason, "time") {
				ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
			}
			defer cancel()
			l := r.form().open(t, direct)
			e := failure(t, l.Test(ctx))
			require.Contains(t, e.Reason, tt.reason)
			require.False(t, e.Ran)
			require.LessOrEqual(t, len([]rune(e.Reason)), 300)
			require.NotContains(t, e.Reason, "127.0.0.1")
			_, err := toolNamed(t, "DB_QUERY").Call(ctx, &connector.Session{Link: l}, connector.Call{Arguments: arguments(t, map[string]string{"query": "GET k"})})
			require.False(t, failure(t, err).Ran)
		})
	}
	t.Cleanup(func() { require.Zero(t, elsewhere.calls.Load(), "nobody is dialled but the server that was named") })
}

// A scan that never ends, or ends in ever larger elements, stops by itself.
func TestT08ScanWithoutAnEnd(t *testing.T) {
	t.Parallel()
	for _, size := range []int{8, 2 << 20} {
		var steps atomic.Int32
		r := newRogue(t, &rogue{answer: func(command []string) string {
			if command[len(command)-2] != "COUNT" { // the script that shows the wall, and what is asked beside it
				return ":1\r\n"
			}
			element := fmt.Sprintf("%08d", steps.Add(1)%4) + strings.Repeat("x", size-8)
			return fmt.Sprintf("*2\r\n$1\r\n7\r\n*1\r\n$%d\r\n%s\r\n", size, element)
		}})
		got, err := ask(t, r.form().open(t, direct), "SCAN 0")
		require.NoError(t, err)
		require.True(t, got.Truncated)
		require.LessOrEqual(t, int(steps.Load()), 200)
		require.LessOrEqual(t, int(steps.Load())*size, 4<<20)
	}
}

func TestT08OnlyTheHostIsDialledByTheRulesForTheUser(t *testing.T) {
	t.Parallel()
	for name, host := range map[string]string{"loopback": "127.0.0.1", "private": "10.0.0.5", "in disguise": "::ffff:10.0.0.5", "metadata": "169.254.169.254"} {
		l := filled{"host": host}.open(t, egress.NewExit().Dial)
		e := failure(t, l.Test(t.Context()))
		require.Equal(t, "the address may not be reached from here", e.Reason, name)
		require.False(t, e.Ran, name)
	}
	for _, host := range []string{"/var/run/redis.sock", "redis://other", "a,b", "a b", "user@host", "host/1", "-x", "", "host:6379/"} {
		_, err := redis.New().Form.Read(map[string]any{"host": host})
		e := &fault.Error{}
		require.ErrorAs(t, err, &e, host)
		require.Equal(t, "body.host", e.Fields[0].Location)
	}
	var asked []string
	l := filled{"host": "redis.example", "port": 7000}.open(t, func(_ context.Context, network, address string) (net.Conn, error) {
		asked = append(asked, network+" "+address)
		return nil, egress.ErrDenied
	})
	require.Empty(t, asked, "opening does not dial")
	require.Error(t, l.Test(t.Context()))
	require.Equal(t, []string{"tcp redis.example:7000"}, asked, "names are not resolved by the driver")
}
