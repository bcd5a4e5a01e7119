package offline_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"

	"steward/dev/offline"
)

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	url := start(t, now)
	for name, c := range map[string]struct {
		path, body, code string
		status           int
	}{
		"not JSON":         {"/v1/responses", `{`, "", 400},
		"wrong type":       {"/v1/responses", `{"model":7}`, "invalid_type", 400},
		"no model":         {"/v1/responses", `{"input":"x"}`, "missing_required_parameter", 400},
		"no input":         {"/v1/responses", `{"model":"offline-rules-1"}`, "missing_required_parameter", 400},
		"other model":      {"/v1/responses", `{"model":"gpt-6","input":"x"}`, "model_not_found", 400},
		"unknown previous": {"/v1/responses", `{"model":"offline-rules-1","input":"x","previous_response_id":"resp_0"}`, "previous_response_not_found", 400},
		"hosted tool":      {"/v1/responses", `{"model":"offline-rules-1","input":"x","tools":[{"type":"mcp"}]}`, "unsupported_parameter", 400},
		"any JSON":         {"/v1/responses", `{"model":"offline-rules-1","input":"x","text":{"format":{"type":"json_object"}}}`, "unsupported_parameter", 400},
		"schema, no name":  {"/v1/responses", `{"model":"offline-rules-1","input":"x","text":{"format":{"type":"json_schema","schema":{}}}}`, "missing_required_parameter", 400},
		"name, no schema":  {"/v1/responses", `{"model":"offline-rules-1","input":"x","text":{"format":{"type":"json_schema","name":"x"}}}`, "missing_required_parameter", 400},
		"call, no output":  {"/v1/responses", `{"model":"offline-rules-1","input":[{"type":"function_call","call_id":"c","name":"n","arguments":"{}"}]}`, "", 400},
		"output, no call":  {"/v1/responses", `{"model":"offline-rules-1","input":[{"type":"function_call_output","call_id":"c","output":"x"}]}`, "", 400},
		"item reference":   {"/v1/responses", `{"model":"offline-rules-1","input":[{"type":"item_reference","id":"x"}]}`, "unsupported_parameter", 400},
		"bad simulation":   {"/v1/responses", `{"model":"offline-rules-1","input":"#sim: dance"}`, "invalid_simulation", 400},
		"tokens, no model": {"/v1/responses/input_tokens", `{"input":"x"}`, "missing_required_parameter", 400},
		"cancel unknown":   {"/v1/responses/resp_0/cancel", ``, "", 404},
		"unknown route":    {"/v1/chat/completions", `{}`, "", 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, header, text := post(t, url, c.path, c.body, http.Header{"Authorization": {"Bearer k"}})
			require.Equal(t, c.status, status, text)
			require.Equal(t, "application/json", header.Get("Content-Type"))
			var body struct {
				Error struct{ Message, Type, Code string }
			}
			require.NoError(t, json.Unmarshal([]byte(text), &body))
			require.Equal(t, c.code, body.Error.Code)
			require.NotEmpty(t, body.Error.Message)
			require.Equal(t, "invalid_request_error", body.Error.Type)
		})
	}
}

func TestSomeBearerIsNeeded(t *testing.T) {
	t.Parallel()
	url := start(t, now)
	for _, value := range []string{"", "Bearer", "Bearer  ", "Basic eDp5"} {
		status, _, text := post(t, url, "/v1/responses", `{}`, http.Header{"Authorization": {value}})
		require.Equal(t, http.StatusUnauthorized, status, value)
		require.Contains(t, text, "invalid_request_error")
	}
}

func TestOutagesCountTheAttemptsOfTheClient(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	try := func(attempt, words string) (*responses.Response, error) {
		return llm.Responses.New(t.Context(), ask("Hello\n#sim: "+words), option.WithHeader("X-Client-Request-Id", "run/r1/1/"+attempt))
	}
	for range 2 { // the same attempt, repeated by a replay, has the same answer
		for _, attempt := range []string{"1", "2"} {
			_, err := try(attempt, "rate_limit 2")
			refusal := apiError(t, err)
			require.Equal(t, "rate_limit_exceeded", refusal.Code)
			require.Equal(t, http.StatusTooManyRequests, refusal.StatusCode)
			require.Equal(t, "1", refusal.Response.Header.Get("Retry-After"))
		}
		got, err := try("3", "rate_limit 2")
		require.NoError(t, err)
		require.Equal(t, responses.ResponseStatusCompleted, got.Status)
	}
	_, err := try("1", "server_error")
	refusal := apiError(t, err)
	require.Equal(t, "server_error", refusal.Code)
	require.Equal(t, http.StatusInternalServerError, refusal.StatusCode)
	got, err := try("1", "failed")
	require.NoError(t, err)
	require.Equal(t, responses.ResponseStatusFailed, got.Status)
	require.EqualValues(t, "server_error", got.Error.Code)
}

func TestOutagesAreCountedHereForOtherClients(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	params := ask("Hello")
	params.Metadata = map[string]string{"sim": "rate_limit 2"}
	for range 2 {
		_, err := llm.Responses.New(t.Context(), params)
		require.Equal(t, http.StatusTooManyRequests, apiError(t, err).StatusCode)
	}
	_, err := llm.Responses.New(t.Context(), params)
	require.NoError(t, err)
}

func TestOutagesSpareLaterSteps(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	params := ask("")
	params.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{
		message("user", "Hello\n#sim: rate_limit 2"),
		responses.ResponseInputItemParamOfFunctionCall(`{}`, "call_1", "x"),
		output("call_1", "fine"),
	}}
	_, err := llm.Responses.New(t.Context(), params)
	require.NoError(t, err)
}

func TestPreviousResponseCarriesTheContext(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	params := ask("#sim: steps 1 tool search_emails", mailTools()...)
	params.Store = param.NewOpt(true)
	first, err := llm.Responses.New(t.Context(), params)
	require.NoError(t, err)
	call := first.Output[0].AsFunctionCall()
	next := params
	next.PreviousResponseID = openai.String(first.ID)
	next.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{output(call.CallID, "fine")}}
	second, err := llm.Responses.New(t.Context(), next)
	require.NoError(t, err)
	require.Equal(t, first.ID, second.PreviousResponseID)
	require.Contains(t, second.OutputText(), "1 of 1 calls")
	require.Greater(t, second.Usage.InputTokens, first.Usage.InputTokens)

	require.NoError(t, llm.Responses.Delete(t.Context(), first.ID))
	_, err = llm.Responses.New(t.Context(), next)
	require.Equal(t, "previous_response_not_found", apiError(t, err).Code)
	_, err = llm.Responses.Get(t.Context(), first.ID, responses.ResponseGetParams{})
	require.Equal(t, http.StatusNotFound, apiError(t, err).StatusCode)
}

func TestNotStoredIsNotFound(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	got, err := llm.Responses.New(t.Context(), ask("Hello"))
	require.NoError(t, err)
	_, err = llm.Responses.Get(t.Context(), got.ID, responses.ResponseGetParams{})
	require.Equal(t, http.StatusNotFound, apiError(t, err).StatusCode)
}

func TestOutputLimitMakesTheAnswerIncomplete(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	params := ask("Hello")
	params.MaxOutputTokens = param.NewOpt(int64(5))
	got, err := llm.Responses.New(t.Context(), params)
	require.NoError(t, err)
	require.Equal(t, responses.ResponseStatusIncomplete, got.Status)
	require.Equal(t, "max_output_tokens", got.IncompleteDetails.Reason)
	require.Len(t, got.OutputText(), 20)
	require.EqualValues(t, 5, got.Usage.OutputTokens)

	params = ask("#sim: parallel 9 tool search_emails", mailTools()...)
	params.MaxOutputTokens = param.NewOpt(int64(20))
	got, err = llm.Responses.New(t.Context(), params)
	require.NoError(t, err)
	require.Equal(t, responses.ResponseStatusIncomplete, got.Status)
	require.Less(t, len(got.Output), 9)
}

func TestToolChoiceNoneGivesText(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	params := ask("Find all emails from last week about invoices and summarise them", mailTools()...)
	params.ToolChoice = responses.ResponseNewParamsToolChoiceUnion{OfToolChoiceMode: param.NewOpt(responses.ToolChoiceOptionsNone)}
	got, err := llm.Responses.New(t.Context(), params)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(got.OutputText(), "[offline rules]"))
}

// A note of the client in the middle of a task, such as a budget warning, does not begin a new one.
func TestNotesOfTheClientDoNotStartOver(t *testing.T) {
	t.Parallel()
	llm := client(start(t, now))
	params := ask("", mailTools()...)
	params.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{
		message("user", "#sim: steps 1 tool search_emails"),
		responses.ResponseInputItemParamOfFunctionCall(`{}`, "call_1", "mcp_mailbox__search_emails"),
		output("call_1", "fine"),
		message("user", "80 % of the budget is used."),
	}}
	got, err := llm.Responses.New(t.Context(), params)
	require.NoError(t, err)
	require.Contains(t, got.OutputText(), "1 of 1 calls")

	params.Input.OfInputItemList = append(params.Input.OfInputItemList, message("assistant", "Done."), message("user", "Hello"))
	got, err = llm.Responses.New(t.Context(), params)
	require.NoError(t, err)
	require.Contains(t, got.OutputText(), `Not done: "Hello"`)
	require.Equal(t, offline.Model, got.Model)
}
