package drive_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector/google/googletest"
)

func TestListAndSearch(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	reports := a.make(mkdir, `{"name":"Reports"}`)
	for i := range 3 {
		a.make(create, fmt.Sprintf(`{"name":"r%d.txt","content":"x","folder_id":%q}`, i, reports.ID))
	}
	a.make(create, `{"name":"logo.png","content_base64":"iVBORw==","type":"image/png"}`)
	require.ElementsMatch(t, []string{"Reports", "logo.png"}, a.names("DRIVE_LIST_FILES", `{}`))
	require.Equal(t, []string{"r0.txt", "r1.txt", "r2.txt"}, a.names("DRIVE_LIST_FILES", fmt.Sprintf(`{"folder_id":%q}`, reports.ID)))
	require.Equal(t, []string{"Reports"}, a.names("DRIVE_SEARCH_FILES", `{"kind":"folder"}`))

	var first, second page
	require.NoError(t, a.Call("DRIVE_LIST_FILES", googletest.NewAttempt(fmt.Sprintf(`{"folder_id":%q,"max_results":2}`, reports.ID)), &first))
	require.Len(t, first.Files, 2)
	require.NoError(t, a.Call("DRIVE_LIST_FILES", googletest.NewAttempt(fmt.Sprintf(`{"folder_id":%q,"page_token":%q}`, reports.ID, first.NextPageToken)), &second))
	require.Len(t, second.Files, 1)
	require.Empty(t, second.NextPageToken)
	require.Equal(t, []string{reports.ID}, second.Files[0].Folders)

	e := googletest.Failure(t, a.Call("DRIVE_SEARCH_FILES", googletest.NewAttempt(`{"kind":"poem"}`), &first))
	require.True(t, e.Answered)
	require.Equal(t, `kind: "poem" is none that is known`, e.Reason)
}

func TestGetAndDownload(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	read := func(made file) (got content) {
		t.Helper()
		require.NoError(t, a.Call("DRIVE_DOWNLOAD_FILE", googletest.NewAttempt(fmt.Sprintf(`{"file_id":%q}`, made.ID)), &got))
		return got
	}
	note := a.make(create, `{"name":"note.md","content":"Größe: 1\n\n* x","type":"text/markdown"}`)
	require.Equal(t, content{Name: "note.md", Type: "text/markdown", Text: "Größe: 1\n\n* x", Size: 15}, read(note))
	logo := a.make(create, `{"name":"logo.png","content_base64":"iVBORwAA/w==","type":"image/png"}`)
	require.Equal(t, content{Name: "logo.png", Type: "image/png", Base64: "iVBORwAA/w==", Size: 7}, read(logo))
	long := a.make(create, `{"name":"long.txt","content":"`+strings.Repeat("long ", 50_000)+`"}`)
	require.Len(t, read(long).Text, 200<<10)
	require.Equal(t, "the text has 250000 bytes, of which the first 204800 are here", read(long).Cut)
	var got file
	require.NoError(t, a.Call("DRIVE_GET_FILE", googletest.NewAttempt(fmt.Sprintf(`{"file_id":%q}`, logo.ID)), &got))
	require.Equal(t, logo, got)
	require.Equal(t, int64(7), got.Size)
	require.NotEmpty(t, got.Modified)
	require.Contains(t, got.Link, got.ID)

	big := a.make(create, `{"name":"big.bin","content_base64":"`+strings.Repeat("AAAA", 180_000)+`"}`)
	folder := a.make(mkdir, `{"name":"Reports"}`)
	for _, tt := range []struct{ tool, arguments, reason string }{
		{"DRIVE_GET_FILE", `{"file_id":"nope"}`, "there is no file with that id"},
		{"DRIVE_DOWNLOAD_FILE", `{"file_id":"nope"}`, "there is no file with that id"},
		{"DRIVE_DOWNLOAD_FILE", fmt.Sprintf(`{"file_id":%q}`, big.ID), "the file has 540000 bytes or more: files up to 524288 bytes can be read, and the beginning of texts up to 10485760"},
		{"DRIVE_DOWNLOAD_FILE", fmt.Sprintf(`{"file_id":%q}`, folder.ID), "it is application/vnd.google-apps.folder, which has no content of its own: DRIVE_EXPORT_FILE reads Google's own documents"},
		{"DRIVE_EXPORT_FILE", fmt.Sprintf(`{"file_id":%q,"format":"text"}`, note.ID), "it is text/markdown, which is not one of Google's own documents: DRIVE_DOWNLOAD_FILE reads files"},
		{"DRIVE_EXPORT_FILE", fmt.Sprintf(`{"file_id":%q,"format":"tiff"}`, note.ID), "format: it is none that is known"},
	} {
		e := googletest.Failure(t, a.Call(tt.tool, googletest.NewAttempt(tt.arguments), &got))
		require.True(t, e.Answered)
		require.Equal(t, tt.reason, e.Reason)
	}
}
