package drive

import (
	"context"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type listInput struct {
	FolderID   string `json:"folder_id,omitempty" jsonschema:"id of a folder, or of a shared drive for what is at its top; My Drive itself if not given"`
	MaxResults int    `json:"max_results,omitempty" jsonschema:"how many files at most, 20 if not given"`
	PageToken  string `json:"page_token,omitempty" jsonschema:"nextPageToken of the answer before, for what follows it"`
}

func listTool() connector.Tool {
	return connector.Typed[listInput, found]{
		Tool: connector.Tool{
			Name: "DRIVE_LIST_FILES", Title: "List a folder", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Lists the files and folders of one folder of the Google Drive, folders first.",
			Scopes:      canRead,
		},
		Bounds: boundPage,
		Call: func(ctx context.Context, s *connector.Session, _ connector.Call, in listInput) (found, error) {
			api, err := filesOf(ctx, s)
			if err != nil {
				return found{}, err
			}
			if in.FolderID == "" {
				in.FolderID = "root"
			}
			out, err := answer(api.List().Context(ctx).Q(quoted(in.FolderID)+" in parents and trashed = false").OrderBy("folder,name_natural"), in.MaxResults, in.PageToken)
			if google.IsGone(err) {
				return found{}, &connector.Error{Answered: true, Reason: "there is no folder with that id", Err: err}
			}
			if err != nil {
				return found{}, google.ReadFailure(s, service, canRead, err)
			}
			return out, nil
		},
	}.Build()
}

func boundPage(p map[string]*jsonschema.Schema) {
	p["max_results"].Minimum, p["max_results"].Maximum = jsonschema.Ptr(1.0), jsonschema.Ptr(float64(mostResults))
}
