package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
)

type removePackageInput struct {
	Caller
	Patience
	PackageNamed
}

func (h *packages) registerRemove(api huma.API) {
	const path = "/packages/{name}"
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "removePackage", Method: http.MethodDelete, Path: path, Tags: []string{"packages"},
			Summary:       "Uninstall a package",
			Description:   "With its server, what users have stored for that, and its folders. Runs that have called it keep their records.",
			DefaultStatus: http.StatusOK,
			Errors:        []int{http.StatusNotFound, http.StatusConflict, http.StatusBadGateway},
		},
		access: access{scope: auth.ServersAdmin}, answers: packageChangedBody{Success: true},
	}, h.remove)
	accepted(api.OpenAPI().Paths[path].Delete)
}

func (h *packages) remove(ctx context.Context, in *removePackageInput) (*packageChangedOutput, error) {
	p, row, err := h.find(ctx, in.PackageNamed)
	if err != nil {
		return nil, err
	}
	c, err := h.service.Remove(ctx, p, &row.Package)
	if err != nil {
		return nil, err
	}
	return h.answer(ctx, p, c, row.Package.ServerName, in.Patience)
}
