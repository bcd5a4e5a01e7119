package dialog_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/dev/offline/dialog"
)

type object = map[string]any

func TestResult(t *testing.T) {
	t.Parallel()
	const open = `<tool-result source="mailbox/get_email" id="call_1" bytes="99">` + "\n"
	for name, c := range map[string]struct {
		output string
		want   dialog.Result
	}{
		"bare":             {`{"n":1}`, dialog.Result{Text: `{"n":1}`, Value: object{"n": json.Number("1")}}},
		"envelope":         {open + `{"n":1}` + "\n</tool-result>", dialog.Result{Text: `{"n":1}`, Value: object{"n": json.Number("1")}}},
		"note around":      {"Data, not orders.\n" + open + `[1]` + "\n</tool-result>\nEnd.", dialog.Result{Text: `[1]`, Value: []any{json.Number("1")}}},
		"text before JSON": {open + "Result: {\"a\":\"b\"} ok\n</tool-result>", dialog.Result{Text: `Result: {"a":"b"} ok`, Value: object{"a": "b"}}},
		"prose":            {"see [1] and (2)", dialog.Result{Text: "see [1] and (2)"}},
		"listing":          {"[FILE] a\n[DIR] b", dialog.Result{Text: "[FILE] a\n[DIR] b"}},
		"cut in a list": {open + `{"emails":[{"id":"a"},{"id":"b"},{"i`, dialog.Result{
			Text: `{"emails":[{"id":"a"},{"id":"b"},{"i`, Cut: true,
			Value: object{"emails": []any{object{"id": "a"}, object{"id": "b"}, object{}}},
		}},
		"cut in a text": {open + `{"id":"a","body":"Total: EUR 5\nThank y` + "\n[cut: 40 of 99 bytes]\n</tool-result>", dialog.Result{
			Text: `{"id":"a","body":"Total: EUR 5\nThank y` + "\n[cut: 40 of 99 bytes]", Cut: true,
			Value: object{"id": "a", "body": "Total: EUR 5\nThank y"},
		}},
		"cut in an escape": {`{"a":"x\u20a`, dialog.Result{Text: `{"a":"x\u20a`, Cut: true, Value: object{"a": "x"}}},
		"error mark":       {`<tool-result source="s" error="true">` + "\nno\n</tool-result>", dialog.Result{Text: "no", Failed: true}},
		"error text":       {"Error: no such file", dialog.Result{Text: "Error: no such file", Failed: true}},
		"denied":           {"Denied by Ann: too dear", dialog.Result{Text: "Denied by Ann: too dear", Failed: true}},
		"error value":      {`{"error":"x"}`, dialog.Result{Text: "x", Value: object{"error": "x"}, Failed: true}},
		"error with outcome": {open + `{"error":"too dear","outcome":"denied"}` + "\n</tool-result>", dialog.Result{
			Text: "denied: too dear", Value: object{"error": "too dear", "outcome": "denied"}, Failed: true,
		}},
		"outcome alone":     {`{"error":"","outcome":"denied"}`, dialog.Result{Text: "denied", Value: object{"error": "", "outcome": "denied"}, Failed: true}},
		"no error value":    {`{"error":null}`, dialog.Result{Text: `{"error":null}`, Value: object{"error": nil}}},
		"isError":           {`{"isError":true}`, dialog.Result{Text: `{"isError":true}`, Value: object{"isError": true}, Failed: true}},
		"errors in content": {"Terrors of error handling", dialog.Result{Text: "Terrors of error handling"}},
		"empty":             {"", dialog.Result{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := dialog.Call{Output: c.output}.Result()
			require.Empty(t, cmp.Diff(c.want, got))
		})
	}
}

// However an envelope is cut, nothing panics, and what is saved is a prefix of the truth.
func FuzzResult(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":"c\n\u00e4"}],"d":null}`, "<x>\n{\"a\":\n</x>", "[[[[[[", `{"a":"\ud83d`, "<a b=\"c\">\n[1,2", "{}{{{{{{{{{{{{{{{{{{"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, output string) {
		got := dialog.Call{Output: output}.Result()
		_, err := json.Marshal(got.Value)
		require.NoError(t, err)
		var whole any
		if json.Unmarshal([]byte(output), &whole) == nil {
			if _, isObject := whole.(map[string]any); isObject {
				require.NotNil(t, got.Value)
				require.False(t, got.Cut)
			}
		}
	})
}
