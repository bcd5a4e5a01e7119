package drive

import (
	"context"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type drivesInput struct {
	PageToken string `json:"page_token,omitempty" jsonschema:"nextPageToken of the answer before, for what follows it"`
}

type drivesResult struct {
	Drives        []sharedDrive `json:"drives"`
	NextPageToken string        `json:"nextPageToken,omitempty" jsonschema:"present if there are more"`
}

type sharedDrive struct {
	ID   string `json:"id" jsonschema:"also of its topmost folder"`
	Name string `json:"name"`
}

func drivesTool() connector.Tool {
	return connector.Typed[drivesInput, drivesResult]{
		Tool: connector.Tool{
			Name: "DRIVE_LIST_DRIVES", Title: "List shared drives", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Lists the shared drives that the account is a member of.",
			Scopes:      canRead,
		},
		Call: func(ctx context.Context, s *connector.Session, _ connector.Call, in drivesInput) (drivesResult, error) {
			api, err := client(ctx, s)
			if err != nil {
				return drivesResult{}, err
			}
			list, err := api.Drives.List().Context(ctx).PageSize(mostResults).PageToken(in.PageToken).Fields("nextPageToken,drives(id,name)").Do()
			if err != nil {
				return drivesResult{}, google.ReadFailure(s, service, canRead, err)
			}
			out := drivesResult{Drives: make([]sharedDrive, 0, len(list.Drives)), NextPageToken: list.NextPageToken}
			for _, d := range list.Drives {
				out.Drives = append(out.Drives, sharedDrive{ID: d.Id, Name: d.Name})
			}
			return out, nil
		},
	}.Build()
}
