package drive

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
)

// formats are what Google's own documents can be read as. Not every kind of document has every one: Drive says so.
// https://developers.google.com/workspace/drive/api/guides/ref-export-formats
var formats = map[string]string{
	"text":     "text/plain",
	"markdown": "text/markdown",
	"html":     "text/html",
	"csv":      "text/csv",
	"pdf":      "application/pdf",
	"docx":     "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"xlsx":     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"pptx":     "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}

type exportInput struct {
	FileID string `json:"file_id" jsonschema:"id of a document, spreadsheet or presentation"`
	Format string `json:"format" jsonschema:"what it is read as: markdown and text fit documents, csv the first sheet of spreadsheets, text presentations"`
}

func exportTool() connector.Tool {
	return connector.Typed[exportInput, content]{
		Tool: connector.Tool{
			Name: "DRIVE_EXPORT_FILE", Title: "Read a Google document", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Reads a Google document, spreadsheet or presentation in another format: texts as text, others up to 512 KiB in base64.",
			Scopes:      canRead,
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			for _, format := range slices.Sorted(maps.Keys(formats)) {
				p["format"].Enum = append(p["format"].Enum, format)
			}
		},
		Call: export,
	}.Build()
}

func export(ctx context.Context, s *connector.Session, _ connector.Call, in exportInput) (content, error) {
	kind, known := formats[in.Format]
	if !known {
		return content{}, &connector.Error{Answered: true, Reason: "format: it is none that is known"}
	}
	api, err := filesOf(ctx, s)
	if err != nil {
		return content{}, err
	}
	f, err := look(ctx, api, in.FileID)
	if err != nil {
		return content{}, readFailure(s, canRead, err)
	}
	if !strings.HasPrefix(f.MimeType, native) || f.MimeType == folder {
		return content{}, &connector.Error{Answered: true, Reason: "it is " + f.MimeType + ", which is not one of Google's own documents: DRIVE_DOWNLOAD_FILE reads files"}
	}
	resp, err := api.Export(in.FileID, kind).Context(ctx).Download()
	return contentOf(s, f, kind, resp, err)
}
