package mcpclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/stretchr/testify/require"
)

func TestLineReader(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in    string
		ids   []any
		noise []string
	}{
		"messages":    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\r\n", []any{int64(1), int64(2)}, nil},
		"banner":      {"Hello\n\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n", []any{int64(1)}, []string{"stdout: Hello"}},
		"other JSON":  {"{\"level\":\"info\"}\n[1]\n{\n42\n", nil, []string{`stdout: {"level":"info"}`, "stdout: [1]", "stdout: {", "stdout: 42"}},
		"batch":       {`[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"result":{}}]` + "\n", []any{int64(1), int64(2)}, nil},
		"cut message": {"{\"jsonrpc\":\"2.0\",\"id\":1,\"res", nil, []string{`{"jsonrpc":"2.0","id":1,"res`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			noise := &ring{}
			r := newLineReader(strings.NewReader(tt.in), noise)
			var ids []any
			for {
				msg, err := r.next()
				if err != nil {
					require.ErrorIs(t, err, io.EOF)
					break
				}
				resp, ok := msg.(*jsonrpc.Response)
				require.True(t, ok)
				ids = append(ids, resp.ID.Raw())
			}
			require.Empty(t, cmp.Diff(tt.ids, ids))
			require.Empty(t, cmp.Diff(tt.noise, noise.tail()))
		})
	}
}

func TestLineReaderStopsAtTheCap(t *testing.T) {
	t.Parallel()
	endless := io.MultiReader(strings.NewReader("{"), neverEnding('x'))
	_, err := newLineReader(endless, &ring{}).next()
	require.ErrorIs(t, err, ErrTooLarge)
}

type neverEnding byte

func (b neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

func FuzzLineReader(f *testing.F) {
	f.Add([]byte("hello\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"))
	f.Add([]byte("[{\"jsonrpc\":\"2.0\",\"method\":\"m\"}]\n[]\n[[]]\n{}"))
	f.Fuzz(func(t *testing.T, in []byte) {
		noise := &ring{}
		r := newLineReader(bytes.NewReader(in), noise)
		for range len(in) + 2 {
			msg, err := r.next()
			if err != nil {
				require.ErrorIs(t, err, io.EOF)
				for _, line := range noise.tail() {
					require.NotContains(t, line, "\x1b")
				}
				return
			}
			require.NotNil(t, msg)
		}
		t.Fatal("more messages than bytes")
	})
}

func TestEvents(t *testing.T) {
	t.Parallel()
	in := ": comment\r\nid: 1\r\ndata:\r\n\r\nevent: message\ndata: {\"a\":\ndata:1}\n\nevent: lost\n\nevent: old\rdata\r\rdata: cut"
	for _, in := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in))} {
		var got []event
		r := newEventReader(in)
		for {
			e, err := r.next()
			if err != nil {
				require.ErrorIs(t, err, io.EOF)
				break
			}
			got = append(got, e)
		}
		require.Equal(t, []event{{}, {name: "message", data: []byte("{\"a\":\n1}")}, {name: "old"}, {data: []byte("cut")}}, got)
	}
}

func TestEventsStopAtTheCap(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]io.Reader{
		"one line":   io.MultiReader(strings.NewReader("data: "), neverEnding('x')),
		"many lines": strings.NewReader(strings.Repeat("data: "+strings.Repeat("x", 1<<20)+"\n", 11)),
	} {
		_, err := newEventReader(in).next()
		require.ErrorIs(t, err, ErrTooLarge, name)
	}
	broken := errors.New("broken")
	_, err := newEventReader(iotest.ErrReader(broken)).next()
	require.ErrorIs(t, err, broken)
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte("data: {\"method\":\"notifications/progress\"}\n\ndata: {\"id\":1,\"result\":{\"content\":[]}}\n\n"), true)
	f.Add([]byte(`{"id":1,"error":{"code":-32602,"message":"no"}}`), false)
	f.Fuzz(func(t *testing.T, body []byte, stream bool) {
		a := answerIn(body, stream, nil)
		if a.result == nil {
			return
		}
		require.True(t, json.Valid(a.result))
		if res, err := parseResult(a.result); err == nil {
			require.Equal(t, byte('['), res.Content[0])
			_ = res.Text()
		}
	})
}

func TestParseResult(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in   string
		want *Result
		err  error
	}{
		"all":     {`{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"structuredContent":[1],"isError":true}`, &Result{Content: json.RawMessage(`[{"type":"text","text":"a"},{"type":"text","text":"b"}]`), Structured: json.RawMessage(`[1]`), IsError: true}, nil},
		"nothing": {`{"structuredContent":null,"resultType":"complete"}`, &Result{Content: json.RawMessage(`[]`)}, nil},
		"later":   {`{"resultType":"input_required","requestState":"s"}`, &Result{Content: emptyContent, Needs: &Needs{Questions: map[string]Question{}, State: "s"}}, nil},
		"for a form": {
			`{"resultType":"input_required","inputRequests":{"a":{"method":"elicitation/create","params":{"message":"Who?","requestedSchema":{"type":"object"}}}}}`,
			&Result{Content: emptyContent, Needs: &Needs{Questions: map[string]Question{"a": {Mode: "form", Message: "Who?", Schema: json.RawMessage(`{"type":"object"}`)}}}}, nil,
		},
		"a model":  {`{"resultType":"input_required","inputRequests":{"a":{"method":"sampling/createMessage","params":{}}}}`, nil, ErrInputRequired},
		"bad form": {`{"resultType":"input_required","inputRequests":{"a":{"method":"elicitation/create","params":{"requestedSchema":{"$ref":"#"}}}}}`, nil, errAny},
		"a task": {
			`{"resultType":"task","taskId":"1","status":"working","statusMessage":"soon","ttlMs":null,"pollIntervalMs":250.7}`,
			&Result{Content: emptyContent, Task: &Task{ID: "1", Status: TaskWorking, Said: "soon", Poll: 250 * time.Millisecond}}, nil,
		},
		"no task":    {`{"resultType":"task","status":"working"}`, nil, errAny},
		"other kind": {`{"resultType":"hologram"}`, nil, errAny},
		"two names":  {`{"content":[],"IsError":true}`, &Result{Content: emptyContent}, nil},
		"no list":    {`{"content":"text"}`, nil, errAny},
		"no object":  {`[]`, nil, errAny},
		"no boolean": {`{"isError":"no"}`, nil, errAny},
	} {
		got, err := parseResult(json.RawMessage(tt.in))
		require.Empty(t, cmp.Diff(tt.want, got), name)
		require.Equal(t, tt.err != nil, err != nil, name)
		if tt.err != nil && !errors.Is(tt.err, errAny) {
			require.ErrorIs(t, err, tt.err, name)
		}
	}
}

var errAny = errors.New("any error")

func FuzzParseTool(f *testing.F) {
	f.Add([]byte(`{"name":"a","annotations":{"readOnlyHint":true},"_meta":{"k":1}}`))
	f.Add([]byte(`{"name":"a","annotations":null,"_meta":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tool, err := parseTool(raw)
		if err == nil {
			require.NotEmpty(t, tool.Name)
			require.Equal(t, raw, []byte(tool.Definition))
		}
	})
}

func TestRingKeepsTheEnd(t *testing.T) {
	t.Parallel()
	r := &ring{}
	for i := range 1000 {
		_, _ = fmt.Fprintf(r, "line %d\nand ", i)
	}
	lines := r.tail()
	require.Len(t, lines, ringLines+1)
	require.Equal(t, "and line 999", lines[ringLines-1])
	require.Equal(t, "and", lines[ringLines])

	r = &ring{}
	_, _ = r.Write(bytes.Repeat([]byte("x"), 1<<20))
	require.Len(t, r.tail()[0], lineBytes)
	for range 100 {
		_, _ = r.Write(append(bytes.Repeat([]byte("y"), lineBytes), '\n'))
	}
	require.LessOrEqual(t, len(strings.Join(r.tail(), "")), ringBytes)

	r = &ring{}
	_, _ = r.Write([]byte("\x1b[31mred\u202e\u200b\xff\ttab\r\n"))
	require.Equal(t, []string{"[31mred tab"}, slices.Clone(r.tail()))
}
