package drive_test

import (
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	driveapi "google.golang.org/api/drive/v3"

	"steward/internal/connector/drive"
	"steward/internal/connector/google/googletest"
	"steward/internal/oauth"
)

// documented answers what the emulator lacks, as Google documents it: shared drives, files.export, files.update with
// content, and what drive.file reaches. Of two files it knows one that was made here and one that was not.
// https://developers.google.com/workspace/drive/api/reference/rest/v3/files
type documented struct {
	t       *testing.T
	granted string // the scope of writing
	name    string // of the file that was made here
	content string
	kind    string
	updates int
}

const (
	ours, foreign, document = "1ours", "1foreign", "1document"
)

func (d *documented) session(scopes ...string) *googletest.Session {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /drive/v3/files", d.search)
	mux.HandleFunc("GET /drive/v3/drives", d.drives)
	mux.HandleFunc("GET /drive/v3/files/{id}", d.get)
	mux.HandleFunc("GET /drive/v3/files/{id}/export", d.export)
	mux.HandleFunc("GET /drive/v3/files/generateIds", func(w http.ResponseWriter, _ *http.Request) { d.answer(w, map[string]any{"ids": []string{"1new"}}) })
	mux.HandleFunc("POST /drive/v3/files", d.create)
	mux.HandleFunc("PATCH /drive/v3/files/{id}", d.update)
	mux.HandleFunc("PATCH /upload/drive/v3/files/{id}", d.update)
	server := httptest.NewServer(mux)
	d.t.Cleanup(server.Close)
	return googletest.NewSession(d.t, drive.New(), server.URL, "token", scopes...)
}

func (d *documented) answer(w http.ResponseWriter, doc any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(doc)
}

func (d *documented) refuse(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"code": status, "message": reason, "errors": []any{map[string]any{"domain": "global", "reason": reason, "message": reason}},
	}})
}

// failed fails the test where there is an error: what require does would end the goroutine of the server alone.
func (d *documented) failed(w http.ResponseWriter, err error) bool {
	if err == nil {
		return false
	}
	d.t.Error(err)
	w.WriteHeader(http.StatusInternalServerError)
	return true
}

func (d *documented) get(w http.ResponseWriter, r *http.Request) {
	switch r.PathValue("id") {
	case ours:
		d.answer(w, map[string]any{"id": ours, "name": d.name, "mimeType": d.kind, "size": "9"})
	case foreign:
		d.answer(w, map[string]any{"id": foreign, "name": "foreign.md", "mimeType": "text/markdown", "size": "9"})
	case document:
		d.answer(w, map[string]any{"id": document, "name": "Plan", "mimeType": "application/vnd.google-apps.document"})
	default:
		d.refuse(w, http.StatusNotFound, "notFound")
	}
}

// search finds a file of a shared drive only if all drives are asked for, or that one, and says that it has not seen all.
func (d *documented) search(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("includeItemsFromAllDrives") != "true" || q.Get("supportsAllDrives") != "true" {
		d.refuse(w, http.StatusForbidden, "teamDrivesParentLimit")
		return
	}
	shared := map[string]any{"id": ours, "name": "shared.md", "driveId": "0drive"}
	switch {
	case q.Get("corpora") == "allDrives" && q.Get("driveId") == "":
		d.answer(w, map[string]any{"files": []any{shared}, "incompleteSearch": true})
	case q.Get("corpora") == "drive" && q.Get("driveId") == "0drive":
		d.answer(w, map[string]any{"files": []any{shared}, "incompleteSearch": false})
	case q.Get("corpora") == "drive":
		d.refuse(w, http.StatusNotFound, "notFound")
	default:
		d.answer(w, map[string]any{"files": []any{}})
	}
}

func (d *documented) drives(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("pageToken") == "" {
		d.answer(w, map[string]any{"drives": []any{map[string]any{"id": "0drive", "name": "Sales"}}, "nextPageToken": "2"})
		return
	}
	d.answer(w, map[string]any{"drives": []any{}})
}

// create makes a folder: in one that was not made here, only under the wider scope.
func (d *documented) create(w http.ResponseWriter, r *http.Request) {
	var f driveapi.File
	if d.failed(w, json.NewDecoder(r.Body).Decode(&f)) {
		return
	}
	if f.Parents[0] == "nope" || f.Parents[0] == foreign && d.granted == driveapi.DriveFileScope {
		d.refuse(w, http.StatusNotFound, "notFound")
		return
	}
	d.answer(w, map[string]any{"id": f.Id, "name": f.Name, "mimeType": f.MimeType, "parents": f.Parents})
}

func (d *documented) export(w http.ResponseWriter, r *http.Request) {
	switch kind := r.URL.Query().Get("mimeType"); kind {
	case "text/markdown":
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, "# Plan für morgen")
	case "application/pdf":
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, "%PDF-1.4")
	case "text/html":
		d.refuse(w, http.StatusForbidden, "exportSizeLimitExceeded")
	default:
		d.refuse(w, http.StatusBadRequest, "badRequest")
	}
}

func (d *documented) update(w http.ResponseWriter, r *http.Request) {
	d.updates++
	if r.PathValue("id") == foreign && d.granted == driveapi.DriveFileScope {
		d.refuse(w, http.StatusForbidden, "appNotAuthorizedToFile")
		return
	}
	if d.failed(w, d.change(r)) {
		return
	}
	d.answer(w, map[string]any{"id": r.PathValue("id"), "name": d.name, "mimeType": d.kind})
}

// change takes over what a request says: metadata, and behind it content, where it has some.
func (d *documented) change(r *http.Request) error {
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	if kind != "multipart/related" {
		return d.rename(r.Body)
	}
	parts := multipart.NewReader(r.Body, parameters["boundary"])
	first, err := parts.NextPart()
	if err != nil {
		return err
	}
	if err := d.rename(first); err != nil {
		return err
	}
	second, err := parts.NextPart()
	if err != nil {
		return err
	}
	text, err := io.ReadAll(second)
	d.content, d.kind = string(text), second.Header.Get("Content-Type")
	return err
}

func (d *documented) rename(metadata io.Reader) error {
	change := struct{ Name string }{d.name}
	err := json.NewDecoder(metadata).Decode(&change)
	d.name = change.Name
	return err
}

func TestSharedDrivesAsDocumented(t *testing.T) {
	t.Parallel()
	s := (&documented{t: t}).session(driveapi.DriveReadonlyScope)
	var drives struct {
		Drives        []struct{ ID, Name string }
		NextPageToken string
	}
	require.NoError(t, s.Call("DRIVE_LIST_DRIVES", googletest.NewAttempt(`{}`), &drives))
	require.Len(t, drives.Drives, 1)
	require.Equal(t, []string{"0drive", "Sales", "2"}, []string{drives.Drives[0].ID, drives.Drives[0].Name, drives.NextPageToken})

	var got page
	require.NoError(t, s.Call("DRIVE_SEARCH_FILES", googletest.NewAttempt(`{"query":"shared"}`), &got))
	require.Len(t, got.Files, 1)
	require.Equal(t, "shared.md", got.Files[0].Name)
	require.True(t, got.Incomplete, "Drive has not searched everywhere")
	got = page{}
	require.NoError(t, s.Call("DRIVE_SEARCH_FILES", googletest.NewAttempt(`{"drive_id":"0drive"}`), &got))
	require.Len(t, got.Files, 1)
	require.False(t, got.Incomplete)
	e := googletest.Failure(t, s.Call("DRIVE_SEARCH_FILES", googletest.NewAttempt(`{"drive_id":"nope"}`), &got))
	require.True(t, e.Answered)
	require.Equal(t, "there is no shared drive with that id", e.Reason)
}

func TestExportAsDocumented(t *testing.T) {
	t.Parallel()
	s := (&documented{t: t}).session(driveapi.DriveReadonlyScope)
	export := func(format string) (got content, err error) {
		return got, s.Call("DRIVE_EXPORT_FILE", googletest.NewAttempt(`{"file_id":"`+document+`","format":"`+format+`"}`), &got)
	}
	var got content
	require.NoError(t, s.Call("DRIVE_EXPORT_FILE", googletest.NewAttempt(`{"file_id":"1document","format":"markdown"}`), &got))
	require.Equal(t, content{Name: "Plan", Type: "text/markdown", Text: "# Plan für morgen", Size: 18}, got)
	got = content{}
	require.NoError(t, s.Call("DRIVE_EXPORT_FILE", googletest.NewAttempt(`{"file_id":"1document","format":"pdf"}`), &got))
	require.Equal(t, content{Name: "Plan", Type: "application/pdf", Base64: "JVBERi0xLjQ=", Size: 8}, got)
	_, err := export("html")
	e := googletest.Failure(t, err)
	require.True(t, e.Answered)
	require.Equal(t, "Drive refused it: exportSizeLimitExceeded", e.Reason)
	_, err = export("xlsx")
	require.Equal(t, "Drive refused it: badRequest", googletest.Failure(t, err).Reason)
}

func TestUpdateAsDocumented(t *testing.T) {
	t.Parallel()
	d := &documented{t: t, granted: driveapi.DriveFileScope, name: "report.md", kind: "text/markdown"}
	s := d.session(driveapi.DriveReadonlyScope, driveapi.DriveFileScope)
	update := func(arguments string) error {
		return s.Call("DRIVE_UPDATE_FILE", googletest.NewAttempt(arguments), &file{})
	}
	for range 2 { // the same a second time leaves the same
		require.NoError(t, update(`{"file_id":"1ours","content":"# New"}`))
		require.Equal(t, []string{"report.md", "# New", "text/markdown"}, []string{d.name, d.content, d.kind})
	}
	require.NoError(t, update(`{"file_id":"1ours","name":"final.md"}`))
	require.Equal(t, []string{"final.md", "# New"}, []string{d.name, d.content}, "what is not given stays")
	require.NoError(t, update(`{"file_id":"1ours","content_base64":"AAE=","type":"application/x-two"}`))
	require.Equal(t, []string{"\x00\x01", "application/x-two"}, []string{d.content, d.kind})
	for arguments, reason := range map[string]string{
		`{"file_id":"1ours"}`:                  "name, content, content_base64: one of them is needed",
		`{"file_id":"nope","content":"# New"}`: "there is no file with that id",
	} {
		e := googletest.Failure(t, update(arguments))
		require.True(t, e.Answered)
		require.Equal(t, reason, e.Reason)
	}
}

// Files that were not made here need the wider scope, which is asked for when it comes to it.
func TestStepUpForForeignFiles(t *testing.T) {
	t.Parallel()
	const change = `{"file_id":"1foreign","name":"mine.md"}`
	d := &documented{t: t, granted: driveapi.DriveFileScope}
	for _, scopes := range [][]string{{driveapi.DriveReadonlyScope, driveapi.DriveFileScope}, {driveapi.DriveFileScope}} {
		e := googletest.Failure(t, d.session(scopes...).Call("DRIVE_UPDATE_FILE", googletest.NewAttempt(change), &file{}))
		need := &oauth.ConsentError{}
		require.ErrorAs(t, e, &need)
		require.Equal(t, &oauth.ConsentError{
			Provider: "google", Scopes: []string{driveapi.DriveScope}, Version: 3, Reason: "Drive was granted changes only of files that were made here",
		}, need)
		require.False(t, e.Ran || e.Answered)
	}
	e := googletest.Failure(t, d.session(driveapi.DriveFileScope).Call("DRIVE_UPDATE_FILE", googletest.NewAttempt(`{"file_id":"hidden","content":"x"}`), &file{}))
	need := &oauth.ConsentError{}
	require.ErrorAs(t, e, &need, "under drive.file alone Drive does not say that others exist")
	d.granted = driveapi.DriveScope
	require.NoError(t, d.session(driveapi.DriveReadonlyScope, driveapi.DriveScope).Call("DRIVE_UPDATE_FILE", googletest.NewAttempt(change), &file{}))
	require.Equal(t, "mine.md", d.name)
}

func TestStepUpForForeignFolders(t *testing.T) {
	t.Parallel()
	inside := func(parent string) *googletest.Attempt {
		return googletest.NewAttempt(`{"name":"x","folder_id":"` + parent + `"}`)
	}
	d := &documented{t: t, granted: driveapi.DriveFileScope}
	need := &oauth.ConsentError{}
	for _, scopes := range [][]string{{driveapi.DriveReadonlyScope, driveapi.DriveFileScope}, {driveapi.DriveFileScope}} {
		e := googletest.Failure(t, d.session(scopes...).Call(mkdir, inside(foreign), &file{}))
		require.ErrorAs(t, e, &need)
		require.Equal(t, []string{driveapi.DriveScope}, need.Scopes)
		require.False(t, e.Ran || e.Answered)
	}
	e := googletest.Failure(t, d.session(driveapi.DriveReadonlyScope, driveapi.DriveFileScope).Call(mkdir, inside("nope"), &file{}))
	require.True(t, e.Answered)
	require.Equal(t, "there is no folder with that id", e.Reason)
	d.granted = driveapi.DriveScope
	require.NoError(t, d.session(driveapi.DriveReadonlyScope, driveapi.DriveScope).Call(mkdir, inside(foreign), &file{}))
}
