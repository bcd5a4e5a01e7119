// Package drive is the connector to a user's Google Drive: find, read and export files, and create them exactly once.
package drive

import (
	"context"

	driveapi "google.golang.org/api/drive/v3"

	"steward/internal/connector"
	"steward/internal/connector/google"
)

const service = "Drive"

// Scopes of which any one suffices, the least first: it is the one that is asked for. Drive.file opens what was made
// here, and nothing else; a change of another file asks for more when it comes to it.
// https://developers.google.com/workspace/drive/api/guides/api-specific-auth
var (
	canRead   = []string{driveapi.DriveReadonlyScope, driveapi.DriveScope}
	canMake   = []string{driveapi.DriveFileScope, driveapi.DriveScope}
	canChange = []string{driveapi.DriveScope}
)

// New makes the connector.
func New() *connector.Connector {
	return &connector.Connector{
		Name: "drive", Title: "Google Drive", Description: "Find, read and create files of a Google Drive.", Provider: google.Provider,
		Tools: []connector.Tool{listTool(), searchTool(), drivesTool(), getTool(), downloadTool(), exportTool(), createTool(), folderTool(), updateTool()},
	}
}

// client is Google's for one session.
func client(ctx context.Context, s *connector.Session) (*driveapi.Service, error) {
	api, err := driveapi.NewService(ctx, google.Options(s, "drive/v3/")...)
	if err != nil {
		return nil, &connector.Error{Reason: "Drive's client could not be set up", Err: err}
	}
	return api, nil
}

// filesOf is the part of it that is about files.
func filesOf(ctx context.Context, s *connector.Session) (*driveapi.FilesService, error) {
	api, err := client(ctx, s)
	if err != nil {
		return nil, err
	}
	return api.Files, nil
}

// readFailure is what an error of a request for one file means that changes nothing.
func readFailure(s *connector.Session, scopes []string, err error) *connector.Error {
	if google.IsGone(err) {
		return noFile(err)
	}
	return google.ReadFailure(s, service, scopes, err)
}

func noFile(err error) *connector.Error {
	return &connector.Error{Answered: true, Reason: "there is no file with that id", Err: err}
}
