package google_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	driveapi "google.golang.org/api/drive/v3"
	gmailapi "google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"

	"steward/internal/connector"
	"steward/internal/connector/google"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestBodiesCanBeSentTwice(t *testing.T) {
	t.Parallel()
	var bodies []string
	next := roundTrip(func(r *http.Request) (*http.Response, error) {
		require.NotNil(t, r.GetBody, "%s %s", r.Method, r.URL.Path)
		again, err := r.GetBody()
		require.NoError(t, err)
		for _, body := range []io.Reader{r.Body, again} {
			text, err := io.ReadAll(body)
			require.NoError(t, err)
			bodies = append(bodies, string(text))
		}
		return &http.Response{StatusCode: http.StatusUnauthorized, Body: http.NoBody, Request: r}, nil
	})
	session := &connector.Session{HTTP: &http.Client{Transport: next}, BaseURL: "http://google.test"}
	mail, err := gmailapi.NewService(t.Context(), google.Options(session, "")...)
	require.NoError(t, err)
	_, err = mail.Users.Drafts.Send("me", &gmailapi.Draft{Id: "r-1"}).Context(t.Context()).Do()
	require.Error(t, err)
	require.Len(t, bodies, 2)
	require.JSONEq(t, `{"id":"r-1"}`, bodies[0])
	require.Equal(t, bodies[0], bodies[1])

	files, err := driveapi.NewService(t.Context(), google.Options(session, "drive/v3/")...)
	require.NoError(t, err)
	_, err = files.Files.Create(&driveapi.File{Id: "1"}).Media(strings.NewReader("content"), googleapi.ChunkSize(0)).Context(t.Context()).Do()
	require.Error(t, err)
	require.Len(t, bodies, 4)
	require.Contains(t, bodies[2], "content")
	require.Equal(t, bodies[2], bodies[3])
}
