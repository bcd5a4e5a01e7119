package drive

import (
	"bytes"
	"context"

	driveapi "google.golang.org/api/drive/v3"
	"google.golang.org/api/googleapi"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type updateInput struct {
	FileID  string `json:"file_id" jsonschema:"id of a file that is not one of Google's own documents"`
	Name    string `json:"name,omitempty" jsonschema:"the file's new name; it keeps its name if not given"`
	Content string `json:"content,omitempty" jsonschema:"the file's whole new content, if it is text; it keeps its content if none is given"`
	Base64  string `json:"content_base64,omitempty" jsonschema:"the file's whole new content in base64, in place of content"`
	Type    string `json:"type,omitempty" jsonschema:"media type of new content; it keeps its type if not given"`
}

func updateTool() connector.Tool {
	return connector.Typed[updateInput, file]{
		Tool: connector.Tool{
			// The same name and content a second time change nothing: who repeats it cannot know nor harm.
			Name: "DRIVE_UPDATE_FILE", Title: "Change a file", Class: automation.Idempotent, Untrusted: true, Private: true,
			Description: "Replaces the name or the whole content of a file of the Google Drive. Drive keeps the content before for 30 days.",
			Scopes:      canMake,
		},
		Bounds: boundContent,
		Call:   update,
	}.Build()
}

func update(ctx context.Context, s *connector.Session, _ connector.Call, in updateInput) (file, error) {
	changes := in.Content != "" || in.Base64 != ""
	if !changes && in.Name == "" {
		return file{}, &connector.Error{Answered: true, Reason: "name, content, content_base64: one of them is needed"}
	}
	raw, kind, err := media(in.Content, in.Base64, in.Type)
	if err != nil {
		return file{}, &connector.Error{Answered: true, Reason: err.Error()}
	}
	api, err := filesOf(ctx, s)
	if err != nil {
		return file{}, err
	}
	if in.Type == "" && changes {
		f, err := look(ctx, api, in.FileID)
		if err != nil {
			return file{}, changeFailure(s, err)
		}
		kind = f.MimeType
	}
	call := api.Update(in.FileID, &driveapi.File{Name: in.Name}).Context(ctx).SupportsAllDrives(true).Fields(fields)
	if changes {
		call.Media(bytes.NewReader(raw), googleapi.ContentType(kind), googleapi.ChunkSize(0))
	}
	f, err := call.Do()
	if err != nil {
		return file{}, changeFailure(s, err)
	}
	return fileOf(f), nil
}

// changeFailure asks for the wider scope where the narrow one does not reach a file. Under drive.file alone Drive does
// not even say that such a file exists.
func changeFailure(s *connector.Session, err error) *connector.Error {
	hidden := google.IsGone(err) && !s.Grants(canRead...)
	switch {
	case !s.Grants(canChange...) && (hidden || google.Says(err, notOurs)):
		return needsMore(s, err)
	case google.IsGone(err):
		return noFile(err)
	}
	return google.Failure(s, service, canMake, err)
}
