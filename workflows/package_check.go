package workflows

import (
	"errors"

	"go.temporal.io/sdk/workflow"

	"steward/internal/automation"
)

// PackageCheck asks the indexes, side by side, for the newest version of each package, and stores what they say. One
// that does not answer keeps nobody from the others.
func PackageCheck(ctx workflow.Context, in automation.PackageCheckInput) error {
	asked := make([]workflow.Future, len(in.PackageIDs))
	for i, id := range in.PackageIDs {
		ctx := with(ctx, automation.ActivityCheckPackage, "ask for a newer version")
		asked[i] = workflow.ExecuteActivity(ctx, pack.CheckPackage, automation.PackageInput{PackageID: id})
	}
	var failed []error
	for _, one := range asked {
		failed = append(failed, one.Get(ctx, nil))
	}
	return errors.Join(failed...)
}
