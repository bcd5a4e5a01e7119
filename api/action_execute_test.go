package api

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/mcpclient"
	"steward/internal/tool"
)

func TestExecuted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		done tool.Done
		want string
	}{
		{tool.Done{Text: `{"rows":[{"a":1}],"truncated":true,"note":"more"}`, Answer: "rows"}, `{"success":true,"result":[{"a":1}],"truncated":true,"about":{"truncated":true,"note":"more"},"call_id":"c"}`},
		{tool.Done{Text: `{"rows":[]}`, Answer: "rows"}, `{"success":true,"result":[],"about":{},"call_id":"c"}`},
		{tool.Done{Text: `{"rows":null,"truncated":"so"}`, Answer: "rows"}, `{"success":true,"result":null,"about":{"truncated":"so"},"call_id":"c"}`},
		{tool.Done{Text: `{"other":1}`, Answer: "rows"}, `{"success":true,"result":{"other":1},"call_id":"c"}`},
		{tool.Done{Text: `{"messageId":"m","status":"sent"}`}, `{"success":true,"result":{"messageId":"m","status":"sent"},"call_id":"c"}`},
		{tool.Done{Text: `12345678901234567890`}, `{"success":true,"result":12345678901234567890,"call_id":"c"}`},
		{tool.Done{Text: `plain`}, `{"success":true,"result":"plain","call_id":"c"}`},
		{tool.Done{Text: `no`, IsError: true, Answer: "rows"}, `{"success":false,"error":"no","call_id":"c"}`},
		{tool.Done{Text: `{"a":1}`, Result: &mcpclient.Result{Content: json.RawMessage(`[{"type":"text","text":"{}"}]`), Structured: json.RawMessage(`{"a":1}`)}}, `{"success":true,"result":{"a":1},"call_id":"c"}`},
		{tool.Done{Text: `7`, Result: &mcpclient.Result{Content: json.RawMessage(`[{"type":"text","text":"7"}]`)}}, `{"success":true,"result":"7","call_id":"c"}`},
	} {
		tt.done.CallID = "c"
		got, err := json.Marshal(executed(&tt.done))
		require.NoError(t, err)
		require.JSONEq(t, tt.want, string(got), tt.done.Text)
		require.Len(t, got, len(tt.want), "digit by digit: %s", tt.done.Text)
	}
}
