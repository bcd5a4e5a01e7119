package google_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/google"
)

// ask sends one request as Alice and decodes the answer.
func ask(t *testing.T, s *google.Server, method, path, body string, headers ...string) (status int, answer map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+s.Token(google.Alice))
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	var text bytes.Buffer
	_, err = text.ReadFrom(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	if text.Len() > 0 {
		require.NoError(t, json.Unmarshal(text.Bytes(), &answer), text.String())
	}
	return resp.StatusCode, answer
}

// The ids of files and events are those that clients choose, and are used once.
func TestChosenIDs(t *testing.T) {
	t.Parallel()
	s := google.Start(t, google.Options{})
	_, generated := ask(t, s, http.MethodGet, "/drive/v3/files/generateIds?count=2", "")
	ids, ok := generated["ids"].([]any)
	require.True(t, ok)
	require.Len(t, ids, 2)
	status, _ := ask(t, s, http.MethodGet, "/drive/v3/files/generateIds", "", "Authorization", "Bearer unknown")
	require.Equal(t, http.StatusUnauthorized, status)

	folder, _ := ids[0].(string)
	create := func(id, parent string) int {
		status, _ := ask(t, s, http.MethodPost, "/upload/drive/v3/files?uploadType=multipart",
			"--b\r\nContent-Type: application/json\r\n\r\n{\"id\":\""+id+"\",\"name\":\"x\",\"parents\":[\""+parent+"\"]}\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n",
			"Content-Type", "multipart/related; boundary=b")
		return status
	}
	status, made := ask(t, s, http.MethodPost, "/drive/v3/files", `{"id":"`+folder+`","name":"f","mimeType":"application/vnd.google-apps.folder"}`)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, folder, made["id"])
	require.Equal(t, http.StatusOK, create("1inside", folder))
	require.Equal(t, http.StatusConflict, create("1inside", folder))
	_, inside := ask(t, s, http.MethodGet, "/drive/v3/files/1inside", "")
	require.Equal(t, []any{folder}, inside["parents"])
	_, list := ask(t, s, http.MethodGet, "/drive/v3/files?q=%27"+folder+"%27+in+parents", "")
	require.Len(t, list["files"], 1)
}

func TestEvents(t *testing.T) {
	t.Parallel()
	s := google.Start(t, google.Options{})
	const all = "/calendar/v3/calendars/primary/events"
	const lunch = `{"id":"lunch1","summary":"Lunch","location":"Here","start":{"dateTime":"2026-11-12T12:00:00Z"},"end":{"dateTime":"2026-11-12T13:00:00Z"}}`
	status, made := ask(t, s, http.MethodPost, all, lunch)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "lunch1", made["id"])
	status, _ = ask(t, s, http.MethodPost, all, lunch)
	require.Equal(t, http.StatusConflict, status)
	_, got := ask(t, s, http.MethodGet, all+"/lunch1", "")
	require.Equal(t, made, got)
	version, _ := got["etag"].(string)

	status, _ = ask(t, s, http.MethodPatch, all+"/lunch1", `{"summary":"x"}`, "If-Match", `"other"`)
	require.Equal(t, http.StatusPreconditionFailed, status)
	status, changed := ask(t, s, http.MethodPatch, all+"/lunch1", `{"summary":"Dinner","location":null,"start":{"dateTime":"2026-11-12T11:00:00Z"}}`, "If-Match", version)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, []any{"lunch1", "Dinner", nil}, []any{changed["id"], changed["summary"], changed["location"]})
	require.NotEqual(t, version, changed["etag"])
	status, _ = ask(t, s, http.MethodPatch, all+"/lunch1", `{"summary":"x"}`, "If-Match", version)
	require.Equal(t, http.StatusPreconditionFailed, status, "the version before is gone")
	_, page := ask(t, s, http.MethodGet, all, "")
	require.Equal(t, []any{changed}, page["items"])

	status, _ = ask(t, s, http.MethodDelete, all+"/lunch1", "")
	require.Equal(t, http.StatusNoContent, status)
	status, _ = ask(t, s, http.MethodDelete, all+"/lunch1", "")
	require.Equal(t, http.StatusGone, status)
	_, got = ask(t, s, http.MethodGet, all+"/lunch1", "")
	require.Equal(t, "cancelled", got["status"])
	status, _ = ask(t, s, http.MethodPost, all, lunch)
	require.Equal(t, http.StatusConflict, status, "the id is not free again")
	status, _ = ask(t, s, http.MethodGet, all+"/never", "")
	require.Equal(t, http.StatusNotFound, status)
}
