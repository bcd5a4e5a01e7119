package drive

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	driveapi "google.golang.org/api/drive/v3"
	"google.golang.org/api/googleapi"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type createInput struct {
	Name     string `json:"name" jsonschema:"name with its extension, e.g. report.md"`
	Content  string `json:"content,omitempty" jsonschema:"the file's content, if it is text"`
	Base64   string `json:"content_base64,omitempty" jsonschema:"the file's content in base64, in place of content"`
	Type     string `json:"type,omitempty" jsonschema:"media type; text/plain if not given, and application/octet-stream for base64"`
	FolderID string `json:"folder_id,omitempty" jsonschema:"id of the folder it is put in; My Drive itself if not given"`
}

func createTool() connector.Tool {
	return connector.Typed[createInput, file]{
		Tool: connector.Tool{
			Name: "DRIVE_CREATE_FILE", Title: "Create a file", Class: automation.Effect, Private: true,
			Description: "Creates a file with the given content in the Google Drive. Other files stay as they are, even one of the same name.",
			Scopes:      canMake,
		},
		Bounds: boundContent,
		Call: func(ctx context.Context, s *connector.Session, c connector.Call, in createInput) (file, error) {
			raw, kind, err := media(in.Content, in.Base64, in.Type)
			if err != nil {
				return file{}, &connector.Error{Answered: true, Reason: err.Error()}
			}
			return create(ctx, s, c, made(in.Name, kind, in.FolderID), raw)
		},
		Probe: func(ctx context.Context, s *connector.Session, c connector.Call, _ createInput) (automation.Outcome, file, error) {
			return probe(ctx, s, c)
		},
	}.Build()
}

// mostContent bounds what is written, in characters of the argument: one request carries it, of which Drive takes 5 MB.
const mostContent = 1 << 20

func boundContent(p map[string]*jsonschema.Schema) {
	p["content"].MaxLength, p["content_base64"].MaxLength = jsonschema.Ptr(mostContent), jsonschema.Ptr(mostContent)
	p["name"].MaxLength = jsonschema.Ptr(500)
}

// media is what a file is to hold. The error says what the model should do better.
func media(text, encoded, kind string) (raw []byte, mediaType string, err error) {
	switch {
	case text != "" && encoded != "":
		return nil, "", errors.New("content, content_base64: only one of them can be given")
	case strings.HasPrefix(kind, native):
		return nil, "", errors.New("type: Google's own documents cannot be made of content")
	case encoded != "":
		if raw, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return nil, "", errors.New("content_base64: it is not base64 (RFC 4648 section 4)")
		}
		mediaType = "application/octet-stream"
	default:
		raw, mediaType = []byte(text), "text/plain"
	}
	if kind != "" {
		mediaType = kind
	}
	return raw, mediaType, nil
}

// made is a new file, without an id.
func made(name, kind, parent string) *driveapi.File {
	f := &driveapi.File{Name: name, MimeType: kind}
	if parent != "" {
		f.Parents = []string{parent}
	}
	return f
}

// create makes a file exactly once: under an id that Drive has given out for it, and the ledger has noted before it is
// used. Whoever comes later uses the same, and Drive has a file under one id only once. Raw is nil for a folder.
func create(ctx context.Context, s *connector.Session, c connector.Call, f *driveapi.File, raw []byte) (file, error) {
	api, err := filesOf(ctx, s)
	if err != nil {
		return file{}, err
	}
	if f.Id = google.ReceiptOf(c).Mark; f.Id == "" {
		if f.Id, err = newID(ctx, s, api); err != nil {
			return file{}, err
		}
	}
	sending, cancel, err := google.Note(ctx, c, f.Id)
	if err != nil {
		return file{}, &connector.Error{Reason: "the file's id could not be noted: it was not made", Err: err}
	}
	defer cancel()
	call := api.Create(f).Context(sending).SupportsAllDrives(true).Fields(fields)
	if raw != nil {
		call.Media(bytes.NewReader(raw), googleapi.ContentType(f.MimeType), googleapi.ChunkSize(0)) // in one request
	}
	out, err := call.Do()
	if google.IsTaken(err) { // by an earlier attempt: nobody else knows the id
		return standing(ctx, s, api, f)
	}
	if err != nil {
		return file{}, makeFailure(ctx, s, api, f, err)
	}
	return fileOf(out), nil
}

func newID(ctx context.Context, s *connector.Session, api *driveapi.FilesService) (string, error) {
	ids, err := api.GenerateIds().Context(ctx).Count(1).Space("drive").Do()
	if err != nil {
		return "", google.ReadFailure(s, service, canMake, err)
	}
	if len(ids.Ids) == 0 {
		return "", &connector.Error{Reason: "Drive gave no id for the file"}
	}
	return ids.Ids[0], nil
}

// standing is the file that an earlier attempt has made. If it is gone since, it was made all the same.
func standing(ctx context.Context, s *connector.Session, api *driveapi.FilesService, f *driveapi.File) (file, error) {
	there, err := look(ctx, api, f.Id)
	if google.IsGone(err) {
		return fileOf(f), nil
	}
	if err != nil {
		failure := google.Failure(s, service, canMake, err)
		failure.Ran, failure.Answered = true, false
		return file{}, failure
	}
	return fileOf(there), nil
}

// probe asks for the file under the id that was noted, until a request that is still under way would have made it. Sent
// again by the same call it makes the same file, but a caller who is told that it failed may make another call of it.
func probe(ctx context.Context, s *connector.Session, c connector.Call) (automation.Outcome, file, error) {
	if c.Receipt == "" { // the note comes before anything is made
		return automation.OutcomeFailed, file{}, nil
	}
	api, err := filesOf(ctx, s)
	if err != nil {
		return automation.OutcomeUnknown, file{}, err
	}
	noted := google.ReceiptOf(c)
	return google.Look(ctx, noted, func(ctx context.Context) (automation.Outcome, file, error) {
		f, err := look(ctx, api, noted.Mark)
		if google.IsGone(err) {
			return automation.OutcomeFailed, file{}, nil
		}
		if err != nil {
			return automation.OutcomeUnknown, file{}, fmt.Errorf("look at the file: %w", err)
		}
		return automation.OutcomeDone, fileOf(f), nil
	})
}
