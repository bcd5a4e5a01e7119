package aimock_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/aimock"
)

func TestAnswersByFixtures(t *testing.T) {
	t.Parallel()
	server := aimock.Start(t, `{"fixtures":[
		{"match":{"userMessage":"hello"},"response":{"content":"Good day."}},
		{"match":{"userMessage":"limit"},"response":{"error":{"message":"x","type":"tokens","code":"rate_limit_exceeded"},"status":429,"retryAfter":7}}]}`)
	ask := func(ctx context.Context, key, text string) (*responses.Response, error) {
		client := openai.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey(key), option.WithMaxRetries(0))
		return client.Responses.New(ctx, responses.ResponseNewParams{
			Model: "gpt-5", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(text)},
		})
	}
	answer, err := ask(t.Context(), aimock.Key, "hello")
	require.NoError(t, err)
	require.Equal(t, "Good day.", answer.OutputText())

	for text, status := range map[string]int{"limit": http.StatusTooManyRequests, "unknown words": http.StatusNotFound} {
		_, err = ask(t.Context(), aimock.Key, text)
		refused := &openai.Error{}
		require.ErrorAs(t, err, &refused)
		require.Equal(t, status, refused.StatusCode, text)
		if status == http.StatusTooManyRequests {
			require.Equal(t, "7", refused.Response.Header.Get("Retry-After"))
		}
	}
	_, err = ask(t.Context(), "sk-wrong", "hello")
	refused := &openai.Error{}
	require.ErrorAs(t, err, &refused)
	require.Equal(t, http.StatusUnauthorized, refused.StatusCode)

	requests := server.Requests(t)
	require.GreaterOrEqual(t, len(requests), 3)
	require.Equal(t, "/v1/responses", requests[0].Path)
	require.Equal(t, http.StatusOK, requests[0].Response.Status)
	require.Contains(t, string(requests[0].Body), "hello")
}
