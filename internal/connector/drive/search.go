package drive

import (
	"context"
	"maps"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/google"
)

type searchInput struct {
	Query         string `json:"query,omitempty" jsonschema:"words that stand in a file's name or text"`
	Kind          string `json:"kind,omitempty" jsonschema:"only files of this kind"`
	DriveID       string `json:"drive_id,omitempty" jsonschema:"only files of this shared drive, its id from DRIVE_LIST_DRIVES"`
	ModifiedAfter string `json:"modified_after,omitempty" jsonschema:"only files changed since, RFC 3339 or a date, whose day begins in UTC"`
	MaxResults    int    `json:"max_results,omitempty" jsonschema:"how many files at most, 20 if not given"`
	PageToken     string `json:"page_token,omitempty" jsonschema:"nextPageToken of the answer before, for what follows it"`
}

func searchTool() connector.Tool {
	return connector.Typed[searchInput, found]{
		Tool: connector.Tool{
			Name: "DRIVE_SEARCH_FILES", Title: "Search files", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Searches the whole Google Drive, shared files and shared drives included. With words the best match comes first, else the file that was changed last.",
			Scopes:      canRead,
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			boundPage(p)
			for _, kind := range slices.Sorted(maps.Keys(kinds)) {
				p["kind"].Enum = append(p["kind"].Enum, kind)
			}
		},
		Call: search,
	}.Build()
}

func search(ctx context.Context, s *connector.Session, _ connector.Call, in searchInput) (found, error) {
	q, err := query(in)
	if err != nil {
		return found{}, &connector.Error{Answered: true, Reason: err.Error()}
	}
	api, err := filesOf(ctx, s)
	if err != nil {
		return found{}, err
	}
	// Left to itself, Drive finds of shared drives only what the account has opened before.
	call := api.List().Context(ctx).Q(q).Corpora("allDrives")
	if in.DriveID != "" {
		call.Corpora("drive").DriveId(in.DriveID)
	}
	if in.Query == "" { // Drive sorts what it finds in texts by itself, and refuses another order
		call.OrderBy("modifiedTime desc")
	}
	out, err := answer(call, in.MaxResults, in.PageToken)
	if in.DriveID != "" && google.IsGone(err) {
		return found{}, &connector.Error{Answered: true, Reason: "there is no shared drive with that id", Err: err}
	}
	if err != nil {
		return found{}, google.ReadFailure(s, service, canRead, err)
	}
	return out, nil
}
