package drive

import (
	"context"
	"errors"

	driveapi "google.golang.org/api/drive/v3"

	"steward/internal/connector"
	"steward/internal/connector/google"
	"steward/internal/oauth"
)

// notOurs is Drive's word for a file that drive.file does not reach.
const notOurs = "appNotAuthorizedToFile"

// needsMore asks for the scope that reaches every file.
func needsMore(s *connector.Session, cause error) *connector.Error {
	need := &oauth.ConsentError{
		Provider: google.Provider, Scopes: canChange, Version: s.Version, Reason: "Drive was granted changes only of files that were made here",
	}
	return &connector.Error{Reason: need.Reason, Err: errors.Join(need, cause)}
}

// makeFailure is what an error means of making a file. Drive says of a folder that drive.file does not reach what it
// says of one that does not exist.
func makeFailure(ctx context.Context, s *connector.Session, api *driveapi.FilesService, f *driveapi.File, err error) *connector.Error {
	if len(f.Parents) == 0 || !google.IsGone(err) && !google.Says(err, notOurs) {
		return google.Failure(s, service, canMake, err)
	}
	if s.Grants(canRead...) {
		if _, gone := look(ctx, api, f.Parents[0]); google.IsGone(gone) {
			return &connector.Error{Answered: true, Reason: "there is no folder with that id", Err: err}
		}
	}
	if s.Grants(canChange...) {
		return google.Failure(s, service, canMake, err)
	}
	return needsMore(s, err)
}
