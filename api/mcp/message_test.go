package mcp

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	t.Parallel()
	m, wrong := parse([]byte(` {"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"name":"x","Name":"y"}}}`))
	require.Nil(t, wrong)
	require.Equal(t, message{id: json.RawMessage("7"), method: "tools/call", name: "echo"}, m)

	for meta, events := range map[string]bool{
		`null`: false, `{}`: false, `{"progressToken":"a"}`: true, `{"progressToken":0}`: true, `{"io.modelcontextprotocol/logLevel":"info"}`: true,
		`{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}`: false, `7`: false,
	} {
		m, wrong = parse([]byte(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","_meta":` + meta + `}}`))
		require.Nil(t, wrong)
		require.Equal(t, events, m.events, meta)
	}

	m, wrong = parse([]byte(`{"jsonrpc":"2.0","id":"a","method":"tasks/get","params":{"taskId":"run/1"}}`))
	require.Nil(t, wrong)
	require.Equal(t, "run/1", m.task)

	for _, body := range []string{
		`{"jsonrpc":"2.0","id":1,"result":{}}`, `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\ud83d"}}`, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, `{"jsonrpc":"2.0","id":1,"method":"ping","params":null}`,
	} {
		_, wrong = parse([]byte(body))
		require.Nil(t, wrong, body)
	}
	for body, code := range map[string]int64{
		``:                                  jsonrpc.CodeParseError,
		`null`:                              jsonrpc.CodeInvalidRequest,
		`[]`:                                jsonrpc.CodeInvalidRequest,
		`"x"`:                               jsonrpc.CodeInvalidRequest,
		`{"jsonrpc":"2.0","method":""}`:     jsonrpc.CodeInvalidRequest,
		`{"JSONRPC":"2.0","method":"ping"}`: jsonrpc.CodeInvalidRequest,
		`{"jsonrpc":"2.0","method":"p","params":[]}`: jsonrpc.CodeInvalidRequest,
		`{"a":1,"a":2}`:               jsonrpc.CodeParseError,
		`{"a":1} {"a":2}`:             jsonrpc.CodeParseError,
		"{\"a\":\"\xff\"}":            jsonrpc.CodeParseError,
		`{"a":1`:                      jsonrpc.CodeParseError,
		`{"\u0061":1,"a":2}`:          jsonrpc.CodeParseError,
		`{"a":{"b":[{"c":1,"c":2}]}}`: jsonrpc.CodeParseError,
		`{"jsonrpc":"2.0","method":"p","params":{"NAME":"x"}}`: jsonrpc.CodeInvalidRequest,
	} {
		_, wrong := parse([]byte(body))
		require.NotNil(t, wrong, body)
		require.Equal(t, code, wrong.code, body)
	}
}

func TestStrictCountsManyMembers(t *testing.T) {
	t.Parallel()
	var members []string
	for i := range 40 {
		members = append(members, `"`+strings.Repeat("k", i+1)+`":{"k":1}`)
	}
	whole := "{" + strings.Join(members, ",")
	require.NoError(t, strict([]byte(whole+"}")))
	for _, again := range []string{"k", strings.Repeat("k", 17), strings.Repeat("k", 40)} {
		require.ErrorIs(t, strict([]byte(whole+`,"`+again+`":2}`)), errTwice)
	}
	require.NoError(t, strict([]byte(strings.Repeat("[", maxNesting)+strings.Repeat("]", maxNesting))))
	require.ErrorIs(t, strict([]byte(strings.Repeat("[", maxNesting+1)+strings.Repeat("]", maxNesting+1))), errDeep)
}

// FuzzJSONRPC holds what passes our reading to what the SDK reads: two readers, one meaning (T-39).
func FuzzJSONRPC(f *testing.F) {
	for _, body := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":[1,{"b":null}]}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","Method":"x"}`, `{"jsonrpc":"2.0","id":1,"method":"ping","method":"x"}`,
		`[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, `{"jsonrpc":"2.0","id":null,"result":{}}`, `{"jsonrpc":"2.0","\u0069d":1,"method":"a"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, wrong := parse(body)
		if wrong != nil {
			require.Contains(t, []int64{jsonrpc.CodeParseError, jsonrpc.CodeInvalidRequest}, wrong.code)
			return
		}
		decoded, err := jsonrpc.DecodeMessage(body)
		if err != nil {
			return // stricter than we are
		}
		request, isRequest := decoded.(*jsonrpc.Request)
		require.Equal(t, isRequest, m.method != "")
		if !isRequest {
			return
		}
		require.Equal(t, request.Method, m.method)
		var params struct{ Name, TaskID any }
		if json.Unmarshal(request.Params, &params) == nil { // the most lenient reader that there is
			if name, ok := params.Name.(string); ok {
				require.Equal(t, name, m.name)
			}
			if task, ok := params.TaskID.(string); ok {
				require.Equal(t, task, m.task)
			}
		}
	})
}
