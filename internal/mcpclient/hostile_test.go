package mcpclient

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/stretchr/testify/require"
)

// Results that want to bring us down, over each way that a message can come (rows 16 and 17 of the checklist).
func TestHostileResults(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 1e5) + strings.Repeat("]", 1e5)
	content := func(result string) string { return `"result":{"content":[],` + result + `}` }
	tests := map[string]struct {
		body  string // of the answer, beside its id
		cause error
	}{
		"20 MB":                {content(`"structuredContent":"` + strings.Repeat("x", 20<<20) + `"`), ErrTooLarge},
		"1e5 deep":             {content(`"structuredContent":` + deep), nil},
		"1e5 deep error":       {`"error":{"code":1,"message":"m","data":` + deep + `}`, nil},
		"result twice":         {`"result":{"content":[]},"result":{"content":[]}`, errUnclear},
		"member twice":         {content(`"isError":false,"isError":true`), errUnclear},
		"member twice, hidden": {content(`"isError":false,"is\u0045rror":true`), errUnclear},
		"nested twice":         {content(`"structuredContent":{"a":[{"b":1,"b":2}]}`), errUnclear},
		"no object":            {`"result":[]`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, kind := range []string{"application/json", "text/event-stream"} {
				r, pool := newRemote(t, EraModern), newPool(t, Options{})
				_, err := pool.Ping(t.Context(), r.target(""))
				require.NoError(t, err)
				r.onCall(func(w http.ResponseWriter, req *http.Request) {
					body, _ := io.ReadAll(req.Body)
					var msg struct{ ID json.RawMessage }
					_ = json.Unmarshal(body, &msg)
					w.Header().Set("Content-Type", kind)
					if kind == "text/event-stream" {
						_, _ = io.WriteString(w, "data: ")
					}
					_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`+"\n\n", msg.ID, tt.body)
				})
				target := r.target("")
				target.Timeout = 20 * time.Second
				e := callError(t, pool, target, "echo", "")
				require.Equal(t, MaybeRun, e.Ran)
				if tt.cause != nil {
					require.ErrorIs(t, e, tt.cause)
				}
				_, err = call(t, pool, target, "echo", "")
				require.NoError(t, err, "the next call")
			}
			reader := newLineReader(strings.NewReader(`{"jsonrpc":"2.0","id":1,`+tt.body+"}\n"), &ring{})
			if msg, err := reader.next(); tt.cause != nil {
				require.ErrorIs(t, err, tt.cause)
			} else if err == nil {
				_, err = parseResult(msg.(*jsonrpc.Response).Result)
				require.Error(t, err)
			}
		})
	}
}

// Names differ by case alone: what we check is what go-sdk reads (CVE-2026-27896).
func TestNamesAreExact(t *testing.T) {
	t.Parallel()
	tool, err := parseTool(json.RawMessage(`{"name":"a","Name":"b","annotations":{"destructiveHint":true,"DestructiveHint":false},"Annotations":{"readOnlyHint":true}}`))
	require.NoError(t, err)
	require.Equal(t, "a", tool.Name)
	require.True(t, *tool.Destructive)
	require.Nil(t, tool.ReadOnly)
	require.Equal(t, answer{result: json.RawMessage(`1`)}, answerOf([]byte(`{"id":1,"result":1,"Result":2,"Error":{}}`)))
}

func TestRepeats(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]bool{
		`{"a":1,"a":2}`:                          true,
		`{"a":1,"A":2}`:                          false,
		`{"a":{"a":1},"b":[{"a":1},{"a":1}]}`:    false,
		`[{"b":[1,{"c":"a","d":"a"}],"b":0}]`:    true,
		`{"\u0061":1,"a":2}`:                     true,
		`{"a":"\"a\":1,","b":"{\"c\":1,\"c\"}"}`: false,
		`{"a":["a","a"],"b":"b"}`:                false,
		`"a"`:                                    false,
		``:                                       false,
	} {
		require.Equal(t, want, repeats([]byte(doc)), doc)
	}
}

// Whatever we take for a message means the same to go-sdk and to us (T-39).
func FuzzJSONRPC(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"result":{"a":1}}`, `{"jsonrpc":"2.0","id":1,"result":1,"Result":2}`,
		`{"jsonrpc":"2.0","id":"x","error":{"code":-32000,"message":"m"}}`, `{"jsonrpc":"2.0","method":"m","result":1}`,
		`{"jsonrpc":"2.0","id":1,"id":2,"result":1}`, `[{"jsonrpc":"2.0","id":1,"result":1}]`, `{"jsonrpc":"2.0","id":1,"result":{"a":1,"\u0061":2}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		msgs := messages(line)
		if len(msgs) != 1 || line[0] != '{' || repeats(line) {
			return
		}
		resp, ok := msgs[0].(*jsonrpc.Response)
		if !ok {
			require.False(t, answerOf(line).came())
			return
		}
		if a := answerOf(line); a.came() && resp.Error == nil {
			require.Equal(t, string(resp.Result), string(a.result))
		}
	})
}
