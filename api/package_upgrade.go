package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
)

type upgradeBody struct {
	Version string `json:"version,omitempty" maxLength:"128" doc:"One exact version; default the newest that is old enough." example:"2026.8.31"`

	UserID   string `json:"user_id,omitempty" maxLength:"255" doc:"For callers with an API key: for whom." example:"user_123"`
	Username string `json:"username,omitempty" maxLength:"255" doc:"The same as user_id." example:"user_123"`
}

type upgradeInput struct {
	Caller
	Patience
	PackageNamed

	Body *upgradeBody
}

func (h *packages) registerUpgrade(api huma.API) {
	const path = "/packages/{name}/upgrade"
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "upgradePackage", Method: http.MethodPut, Path: path, Tags: []string{"packages"},
			Summary: "Put another version of a package in place",
			Description: "It is installed beside what runs, started and asked for its tools; only then the server switches to it. An upgrade that fails changes " +
				"nothing. Tools whose definition is another afterwards wait for a person's look. The files of the version before are kept until the next upgrade. " +
				"The same version again mends a package whose files have changed.",
			DefaultStatus: http.StatusOK,
			Errors:        []int{http.StatusNotFound, http.StatusConflict, http.StatusBadGateway},
		},
		access: access{scope: auth.ServersAdmin},
		asks:   upgradeBody{Version: "2026.8.31"}, answers: packageChangedBody{Success: true, Package: of(examplePackage()), Server: of(exampleServer())},
	}, h.upgrade)
	accepted(api.OpenAPI().Paths[path].Put)
}

func (h *packages) upgrade(ctx context.Context, in *upgradeInput) (*packageChangedOutput, error) {
	body := upgradeBody{}
	if in.Body != nil {
		body = *in.Body
	}
	if _, err := principalNamed(ctx, body.UserID, body.Username); err != nil {
		return nil, err
	}
	p, row, err := h.find(ctx, in.PackageNamed)
	if err != nil {
		return nil, err
	}
	c, err := h.service.Upgrade(ctx, p, &row.Package, body.Version)
	if err != nil {
		return nil, err
	}
	return h.answer(ctx, p, c, row.Package.ServerName, in.Patience)
}
