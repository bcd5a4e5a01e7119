package drive

import (
	"context"

	driveapi "google.golang.org/api/drive/v3"

	"steward/internal/automation"
	"steward/internal/connector"
)

type getInput struct {
	FileID string `json:"file_id" jsonschema:"id of a file, from DRIVE_SEARCH_FILES or DRIVE_LIST_FILES"`
}

func getTool() connector.Tool {
	return connector.Typed[getInput, file]{
		Tool: connector.Tool{
			Name: "DRIVE_GET_FILE", Title: "Look at a file", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Tells what a file or folder is: its name, type, size, owners, folders and link, without its content.",
			Scopes:      canRead,
		},
		Call: func(ctx context.Context, s *connector.Session, _ connector.Call, in getInput) (file, error) {
			api, err := filesOf(ctx, s)
			if err != nil {
				return file{}, err
			}
			f, err := look(ctx, api, in.FileID)
			if err != nil {
				return file{}, readFailure(s, canRead, err)
			}
			return fileOf(f), nil
		},
	}.Build()
}

func look(ctx context.Context, api *driveapi.FilesService, id string) (*driveapi.File, error) {
	return api.Get(id).Context(ctx).SupportsAllDrives(true).Fields(fields).Do()
}
