package slack_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector"
)

// documented answers search.messages as Slack documents it: the emulator does not have the method
// (https://docs.slack.dev/reference/methods/search.messages).
const documented = `{"ok":true,"query":"deploy","messages":{"total":3,
 "matches":[{"channel":{"id":"C12345678","name":"general","is_private":false},"iid":"cb64bdaa","permalink":"https://hitchhikers.slack.com/archives/C12345678/p1508284197000015",
   "team":"T061EG9R6","text":"The deploy of today","ts":"1508284197.000015","type":"message","user":"U2U85N1RZ","username":"roach"}],
 "pagination":{"first":1,"last":3,"page":1,"page_count":3,"per_page":1,"total_count":3},"paging":{"count":1,"page":1,"pages":3,"total":3}}}`

func TestSearch(t *testing.T) {
	t.Parallel()
	answer := documented
	var asked url.Values
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.URL.Path != "/api/search.messages" {
			http.NotFound(w, r)
			return
		}
		asked = r.PostForm
		_, _ = fmt.Fprint(w, answer)
	}))
	t.Cleanup(server.Close)
	session := &connector.Session{HTTP: server.Client(), BaseURL: server.URL, Granted: []string{"search:read"}}
	search := func(arguments string) (map[string]any, error) {
		result, err := toolNamed(t, "SLACK_SEARCH_MESSAGES").Call(t.Context(), session, connector.Call{ID: "c", Arguments: json.RawMessage(arguments)})
		if err != nil {
			return nil, err
		}
		var got map[string]any
		require.NoError(t, json.Unmarshal(result.Structured, &got))
		return got, nil
	}
	got, err := search(`{"query":"deploy","max_results":1}`)
	require.NoError(t, err)
	require.Equal(t, "deploy 1 1 timestamp", asked.Get("query")+" "+asked.Get("count")+" "+asked.Get("page")+" "+asked.Get("sort"))
	require.Equal(t, map[string]any{
		"total": 3., "next_page": 2., "messages": []any{map[string]any{
			"channel": "C12345678", "channel_name": "general", "ts": "1508284197.000015", "time": "2017-10-17T23:49:57Z", "user": "U2U85N1RZ",
			"text": "The deploy of today", "link": "https://hitchhikers.slack.com/archives/C12345678/p1508284197000015",
		}},
	}, got)

	answer = `{"ok":true,"messages":{"total":0,"matches":[],"paging":{"count":20,"page":1,"pages":0,"total":0}}}`
	got, err = search(`{"query":"nothing"}`)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"total": 0., "messages": []any{}}, got)

	answer = `{"ok":false,"error":"no_query"}`
	_, err = search(`{"query":" "}`)
	refusal := &connector.Error{}
	require.ErrorAs(t, err, &refusal)
	require.False(t, refusal.Ran)
}
