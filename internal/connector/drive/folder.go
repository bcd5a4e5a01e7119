package drive

import (
	"context"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
)

type folderInput struct {
	Name     string `json:"name" jsonschema:"the folder's name"`
	FolderID string `json:"folder_id,omitempty" jsonschema:"id of the folder it is put in; My Drive itself if not given"`
}

func folderTool() connector.Tool {
	return connector.Typed[folderInput, file]{
		Tool: connector.Tool{
			Name: "DRIVE_CREATE_FOLDER", Title: "Create a folder", Class: automation.Effect, Private: true,
			Description: "Creates an empty folder in the Google Drive, even if there is one of the same name.",
			Scopes:      canMake,
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			p["name"].MaxLength = jsonschema.Ptr(500)
		},
		Call: func(ctx context.Context, s *connector.Session, c connector.Call, in folderInput) (file, error) {
			return create(ctx, s, c, made(in.Name, folder, in.FolderID), nil)
		},
		Probe: func(ctx context.Context, s *connector.Session, c connector.Call, _ folderInput) (automation.Outcome, file, error) {
			return probe(ctx, s, c)
		},
	}.Build()
}
