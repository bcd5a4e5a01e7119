package drive

import (
	driveapi "google.golang.org/api/drive/v3"
	"google.golang.org/api/googleapi"
)

// Media types of what is no file with content of its own.
// https://developers.google.com/workspace/drive/api/guides/mime-types
const (
	native = "application/vnd.google-apps." // begins those of Google's own documents
	folder = native + "folder"
)

type file struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Type     string   `json:"type" jsonschema:"media type; those that begin with application/vnd.google-apps. are Google's own documents and folders"`
	Size     int64    `json:"size,omitempty" jsonschema:"bytes"`
	Modified string   `json:"modified,omitempty" jsonschema:"when it was changed last, RFC 3339"`
	Owners   []string `json:"owners,omitempty" jsonschema:"mail addresses"`
	Folders  []string `json:"folders,omitempty" jsonschema:"ids of the folders it is in"`
	Link     string   `json:"link,omitempty" jsonschema:"where people open it"`
	Trashed  bool     `json:"trashed,omitempty" jsonschema:"whether it is in the trash"`
}

// fields are those of which file is made.
const fields = "id,name,mimeType,size,modifiedTime,owners(emailAddress),parents,webViewLink,trashed"

func fileOf(f *driveapi.File) file {
	out := file{
		ID: f.Id, Name: f.Name, Type: f.MimeType, Size: f.Size, Modified: f.ModifiedTime, Folders: f.Parents, Link: f.WebViewLink, Trashed: f.Trashed,
	}
	for _, owner := range f.Owners {
		out.Owners = append(out.Owners, owner.EmailAddress)
	}
	return out
}

type found struct {
	Files         []file `json:"files"`
	NextPageToken string `json:"nextPageToken,omitempty" jsonschema:"present if there are more"`
	Incomplete    bool   `json:"incomplete,omitempty" jsonschema:"true: not all drives could be searched, and files may be missing; drive_id searches one of them"`
}

const (
	usualResults = 20
	mostResults  = 100
)

// answer makes a page of files out of a request. Files of shared drives are files too.
func answer(call *driveapi.FilesListCall, most int, page string) (found, error) {
	if most <= 0 || most > mostResults {
		most = usualResults
	}
	list, err := call.PageSize(int64(most)).PageToken(page).SupportsAllDrives(true).IncludeItemsFromAllDrives(true).
		Fields("nextPageToken", "incompleteSearch", googleapi.Field("files("+fields+")")).Do()
	if err != nil {
		return found{}, err
	}
	out := found{Files: make([]file, 0, len(list.Files)), NextPageToken: list.NextPageToken, Incomplete: list.IncompleteSearch}
	for _, f := range list.Files {
		out.Files = append(out.Files, fileOf(f))
	}
	return out, nil
}
