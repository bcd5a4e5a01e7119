package drive

import (
	"context"
	"errors"
	"net/http"
	"strings"

	driveapi "google.golang.org/api/drive/v3"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type content struct {
	Name string `json:"name"`
	google.Content
}

func downloadTool() connector.Tool {
	return connector.Typed[getInput, content]{
		Tool: connector.Tool{
			Name: "DRIVE_DOWNLOAD_FILE", Title: "Read a file", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Reads a file that is stored in the Google Drive: a text as text, any other up to 512 KiB in base64. Google's own documents are read with DRIVE_EXPORT_FILE.",
			Scopes:      canRead,
		},
		Call: download,
	}.Build()
}

func download(ctx context.Context, s *connector.Session, _ connector.Call, in getInput) (content, error) {
	api, err := filesOf(ctx, s)
	if err != nil {
		return content{}, err
	}
	f, err := look(ctx, api, in.FileID)
	if err != nil {
		return content{}, readFailure(s, canRead, err)
	}
	if strings.HasPrefix(f.MimeType, native) {
		return content{}, &connector.Error{Answered: true, Reason: "it is " + f.MimeType + ", which has no content of its own: DRIVE_EXPORT_FILE reads Google's own documents"}
	}
	if !google.Readable(f.MimeType, f.Size) {
		return content{}, google.TooLarge(f.Size)
	}
	resp, err := api.Get(in.FileID).Context(ctx).SupportsAllDrives(true).Download()
	return contentOf(s, f, f.MimeType, resp, err)
}

// contentOf reads the answer that is a file's content.
func contentOf(s *connector.Session, f *driveapi.File, kind string, resp *http.Response, err error) (content, error) {
	if err != nil {
		return content{}, readFailure(s, canRead, err)
	}
	// With the charset, if there is one.
	if said := resp.Header.Get("Content-Type"); strings.HasPrefix(said, kind) {
		kind = said
	}
	read, err := google.ReadContent(kind, resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return content{}, google.ReadFailure(s, service, canRead, err)
	}
	return content{Name: f.Name, Content: read}, nil
}
