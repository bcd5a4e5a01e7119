package workflows

import (
	"errors"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"steward/activities"
	"steward/internal/automation"
)

// pack gives the compiler the names of the packages' activities; it is never called through.
var pack *activities.Package

// PackageChange installs, upgrades or removes a package. What ran before goes on running until the new version has
// shown that it answers; a change that fails leaves everything as it was.
func PackageChange(ctx workflow.Context, in automation.PackageInput) error {
	var err error
	if in.Action == automation.PackageRemove {
		ctx := with(ctx, automation.ActivityRemovePackage, "remove the server, its secrets and its folders")
		err = workflow.ExecuteActivity(ctx, pack.RemovePackage, in).Get(ctx, nil)
	} else {
		err = replace(ctx, in)
	}
	if err == nil {
		return nil
	}
	// Also a change that was cancelled must let go of the package.
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	ctx = with(ctx, automation.ActivityFailPackage, "leave everything as it was")
	if failed := workflow.ExecuteActivity(ctx, pack.FailPackage, failure(in.PackageID, err)).Get(ctx, nil); failed != nil {
		return failed
	}
	return err
}

// replace puts another version in the place of the present one, or the first one in place.
func replace(ctx workflow.Context, in automation.PackageInput) error {
	var release automation.PackageRelease
	resolving := with(ctx, automation.ActivityResolvePackage, "settle on one version")
	if err := workflow.ExecuteActivity(resolving, pack.ResolvePackage, in).Get(ctx, &release); err != nil {
		return err
	}
	var built automation.PackageBuilt
	building := with(ctx, automation.ActivityBuildPackage, "install version "+release.Version)
	err := workflow.ExecuteActivity(building, pack.BuildPackage, automation.PackageBuild{PackageID: in.PackageID, Release: release}).Get(ctx, &built)
	if err != nil {
		return err
	}
	trying := with(ctx, automation.ActivityTryPackage, "see whether version "+release.Version+" answers")
	if err := workflow.ExecuteActivity(trying, pack.TryPackage, built).Get(ctx, nil); err != nil {
		return err
	}
	switching := with(ctx, automation.ActivitySwitchPackage, "switch to version "+release.Version)
	return workflow.ExecuteActivity(switching, pack.SwitchPackage, built).Get(ctx, nil)
}

// failure is what people may read of err.
func failure(id int64, err error) automation.PackageFailure {
	out := automation.PackageFailure{PackageID: id, Code: "internal", Message: "internal error"}
	if temporal.IsCanceledError(err) {
		out.Code, out.Message = "cancelled", "the change was cancelled"
	} else if e, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		out.Code, out.Message = e.Type(), e.Message()
	} else if _, ok := errors.AsType[*temporal.TimeoutError](err); ok {
		out.Code, out.Message = "timeout", "the change did not finish in time"
	}
	return out
}
