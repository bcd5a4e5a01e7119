package mcpclient

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestRenumberedOut(t *testing.T) {
	t.Parallel()
	n := numbers{1000}
	for body, want := range map[string]string{
		`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"a":"<1>","big":12345678901234567890}}`: `{"id":1007,"jsonrpc":"2.0","method":"tools/call","params":{"a":"<1>","big":12345678901234567890}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7,"reason":"x"}}`:     `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"reason":"x","requestId":1007}}`,
		`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7}}`:               "",
		`{"jsonrpc":"2.0","method":"notifications/x"}`:                                                   "",
		`{"jsonrpc":"2.0","id":7,"result":{}}`:                                                           "", // an answer to the server
	} {
		if want == "" {
			want = body
		}
		got, err := n.out([]byte(body))
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	_, err := n.out([]byte("{"))
	require.Error(t, err)
}

func TestRenumberedIn(t *testing.T) {
	t.Parallel()
	n := numbers{1000}
	for body, want := range map[string]string{
		`{"jsonrpc":"2.0","id":1007,"result":{"a":"<"}}`:        `{"id":7,"jsonrpc":"2.0","result":{"a":"<"}}`,
		`{"jsonrpc":"2.0","id":1007,"error":{"code":0}}`:        `{"error":{"code":0},"id":7,"jsonrpc":"2.0"}`,
		`{"jsonrpc":"2.0","id":7,"result":{}}`:                  "", // to somebody before us
		`{"jsonrpc":"2.0","id":"1007","result":{}}`:             "",
		`{"jsonrpc":"2.0","id":9223372036854775807,"result":1}`: "",
		`{"jsonrpc":"2.0","id":1007,"method":"ping"}`:           "", // the server's own request
		`not found`: "",
	} {
		if want == "" {
			want = body
		}
		require.Equal(t, want, string(n.in([]byte(body))))
	}
}

func TestRenumberedStream(t *testing.T) {
	t.Parallel()
	const stream = ": hello\r\nid: e1\r\nretry: 5\r\ndata:\r\n\r\n" +
		"event: message\ndata: {\"id\":1007,\ndata: \"result\":{}}\nid: e2\n\n" +
		"data: {\"method\":\"x\",\ndata: \"id\":1}\n\n" +
		"data: {\"id\":1008,\"result\":{}}"
	const want = ": hello\nid: e1\nretry: 5\ndata: \n\n" +
		"event: message\nid: e2\ndata: {\"id\":7,\"result\":{}}\n\n" +
		"data: {\"method\":\"x\",\ndata: \"id\":1}\n\n" +
		"data: {\"id\":8,\"result\":{}}\n"
	for _, body := range []io.Reader{strings.NewReader(stream), iotest.OneByteReader(strings.NewReader(stream))} {
		got, err := io.ReadAll(answered(t, "text/event-stream", body))
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	large := io.MultiReader(strings.NewReader("data: x\ndata: "), bytes.NewReader(bytes.Repeat([]byte("x"), MaxMessage)))
	_, err := io.ReadAll(answered(t, "text/event-stream", large))
	require.ErrorIs(t, err, ErrTooLarge)
	large = bytes.NewReader(append([]byte("data: "), bytes.Repeat([]byte("x"), MaxMessage+1)...))
	_, err = io.ReadAll(answered(t, "text/event-stream", large))
	require.ErrorIs(t, err, ErrTooLarge)
	_, err = io.ReadAll(answered(t, "text/event-stream", iotest.ErrReader(io.ErrUnexpectedEOF)))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)

	plain, err := io.ReadAll(answered(t, "application/json", strings.NewReader(`{"id":1007,"result":{}}`)))
	require.NoError(t, err)
	require.JSONEq(t, `{"id":7,"result":{}}`, string(plain))
}

func answered(t *testing.T, kind string, body io.Reader) io.Reader {
	t.Helper()
	resp := &http.Response{Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(body)}
	require.NoError(t, numbers{1000}.answers(resp))
	return resp.Body
}
