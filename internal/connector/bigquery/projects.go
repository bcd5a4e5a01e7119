package bigquery

import (
	"context"

	"steward/internal/automation"
	"steward/internal/connector"
)

type projectsInput struct {
	PageToken string `json:"page_token,omitempty" jsonschema:"next_page_token of the answer before, for what follows it"`
}

type projectsResult struct {
	Projects      []project `json:"projects"`
	NextPageToken string    `json:"next_page_token,omitempty" jsonschema:"present if there are more"`
}

type project struct {
	ID   string `json:"id" jsonschema:"for project"`
	Name string `json:"name,omitempty" jsonschema:"for people"`
}

func projectsTool() connector.Tool {
	return connector.Typed[projectsInput, projectsResult]{
		Tool: connector.Tool{
			Name: "BIGQUERY_LIST_PROJECTS", Title: "List projects", Class: automation.Read, Untrusted: true, Private: true,
			Description: "Lists the Google Cloud projects in which the account has a role. Public datasets may lie in others.", Scopes: canRead,
		},
		Call: func(ctx context.Context, s *connector.Session, _ connector.Call, in projectsInput) (projectsResult, error) {
			api, err := client(ctx, s)
			if err != nil {
				return projectsResult{}, err
			}
			found, err := api.Projects.List().Context(ctx).MaxResults(listed).PageToken(in.PageToken).Do()
			if err != nil {
				return projectsResult{}, failure(s, canRead, err)
			}
			out := projectsResult{Projects: []project{}, NextPageToken: found.NextPageToken}
			for _, p := range found.Projects {
				if p.ProjectReference != nil {
					out.Projects = append(out.Projects, project{ID: p.ProjectReference.ProjectId, Name: p.FriendlyName})
				}
			}
			return out, nil
		},
	}.Build()
}
