package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"steward/dev/offline/wire"
)

func TestDigestIsOfTheContent(t *testing.T) {
	t.Parallel()
	base := decode(t, `{"model":"m","input":"x","tools":[],"metadata":{"a":"1","b":"2"}}`)
	for _, same := range []string{
		`{"input":"x","metadata":{"b":"2","a":"1"}, "tools":[] ,"model":"m"}`,
		`{"model":"m","input":"x","tools":[],"metadata":{"a":"1","b":"2"},"stream":true,"background":true,"store":false}`,
	} {
		require.Equal(t, base.Digest(), decode(t, same).Digest(), same)
	}
	for _, other := range []string{
		`{"model":"m","input":"y","tools":[],"metadata":{"a":"1","b":"2"}}`,
		`{"model":"m","input":"x","tools":[],"metadata":{"a":"1","b":"3"}}`,
		`{"model":"m","input":"x","tools":[]}`,
	} {
		require.NotEqual(t, base.Digest(), decode(t, other).Digest(), other)
	}
}

// Numbers are not rounded on the way into the digest.
func TestDigestKeepsLargeNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "n")
		request := func(n int64) *wire.Request {
			body, err := json.Marshal(map[string]any{"model": "m", "input": "x", "tools": []any{
				map[string]any{"type": "function", "name": "f", "parameters": map[string]any{"maximum": n}},
			}})
			require.NoError(t, err)
			r, err := wire.Decode(body)
			require.NoError(t, err)
			return r
		}
		require.NotEqual(t, request(n).Digest(), request(n^1).Digest())
	})
}

func TestItemsOfAnyTypeAreAccepted(t *testing.T) {
	t.Parallel()
	r := decode(t, `{"model":"m","input":[
		{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"u"},{"type":"input_text","text":"b"}]},
		{"type":"reasoning","summary":[],"encrypted_content":"x"},
		{"type":"tool_search_call","arguments":{"q":1},"output":{"z":[1]},"content":[1]},
		{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
		{"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"done"}]}]}`)
	require.Len(t, r.Input, 5)
	require.EqualValues(t, "a\nb", r.Input[0].Content)
	require.Equal(t, "message", r.Input[0].Type)
	require.EqualValues(t, "done", r.Input[4].Output)
	require.NoError(t, wire.CheckCalls(r.Input))
}

func decode(t *testing.T, body string) *wire.Request {
	t.Helper()
	r, err := wire.Decode([]byte(body))
	require.NoError(t, err)
	return r
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"model":"m","input":"x"}`, `{"model":"m","input":[{"role":"user","content":null}],"tools":[null]}`,
		`{"model":"m","input":[null,{}],"metadata":null,"tool_choice":{"a":1}}`, `[]`, `null`, `{"input":{}}`,
		`{"model":"m","input":[{"type":"function_call","arguments":[[[]]],"output":[{"text":1}]}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := wire.Decode(body)
		if err != nil {
			refusal, ok := err.(*wire.Error) //nolint:errorlint // the promise is about the value itself
			require.True(t, ok)
			require.Equal(t, 400, refusal.Status)
			return
		}
		require.Len(t, r.Digest(), 40)
		require.GreaterOrEqual(t, r.InputTokens(r.Input), 0)
		_ = wire.CheckCalls(r.Input)
	})
}
