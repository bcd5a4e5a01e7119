package activities

import (
	"context"
	"errors"
	"log/slog"

	"go.temporal.io/sdk/activity"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/install"
)

// Package holds what the activities of packages share. Every exported method is an activity.
type Package struct {
	installer *install.Installer
	log       *slog.Logger
}

// NewPackage checks its dependencies.
func NewPackage(installer *install.Installer, log *slog.Logger) (*Package, error) {
	if installer == nil || log == nil {
		return nil, errors.New("activities: installer and logger are required")
	}
	return &Package{installer: installer, log: log}, nil
}

// Packages lists the activities by the names under which histories know them.
func Packages(a *Package) map[string]any {
	return map[string]any{
		automation.ActivityResolvePackage: a.ResolvePackage,
		automation.ActivityBuildPackage:   a.BuildPackage,
		automation.ActivityTryPackage:     a.TryPackage,
		automation.ActivitySwitchPackage:  a.SwitchPackage,
		automation.ActivityRemovePackage:  a.RemovePackage,
		automation.ActivityFailPackage:    a.FailPackage,
		automation.ActivityCheckPackage:   a.CheckPackage,
	}
}

// hold is the claim of this workflow on a package.
func hold(ctx context.Context, id int64) install.Hold {
	return install.Hold{Package: id, Workflow: activity.GetInfo(ctx).WorkflowExecution.ID}
}

// end is Run.end for packages.
func (a *Package) end(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil {
		info := activity.GetInfo(ctx)
		a.log.WarnContext(ctx, "activity attempt failed", "activity", info.ActivityType.Name, "attempt", info.Attempt,
			"workflow", info.WorkflowExecution.ID, "error", err)
	}
	if e, ok := errors.AsType[*fault.Error](err); ok { // a server that hangs up is no database that does
		said := *e
		said.Err = nil
		return failure(&said)
	}
	return failure(err)
}

// ResolvePackage settles on one exact version and checks that it can run here.
func (a *Package) ResolvePackage(ctx context.Context, in automation.PackageInput) (automation.PackageRelease, error) {
	defer heartbeat(ctx)()
	out, err := a.installer.Resolve(ctx, hold(ctx, in.PackageID), in.Version)
	return out, a.end(ctx, err)
}

// BuildPackage fills a fresh folder. An attempt never touches the folder of another.
func (a *Package) BuildPackage(ctx context.Context, in automation.PackageBuild) (automation.PackageBuilt, error) {
	defer heartbeat(ctx)()
	out, err := a.installer.Build(ctx, hold(ctx, in.PackageID), in.Release)
	return out, a.end(ctx, err)
}

// TryPackage starts what was built as it would be started later and asks for its tools.
func (a *Package) TryPackage(ctx context.Context, in automation.PackageBuilt) error {
	defer heartbeat(ctx)()
	return a.end(ctx, a.installer.Try(ctx, hold(ctx, in.PackageID), in))
}

// SwitchPackage registers what was built, in one transaction with the package's row.
func (a *Package) SwitchPackage(ctx context.Context, in automation.PackageBuilt) error {
	defer heartbeat(ctx)()
	return a.end(ctx, a.installer.Switch(ctx, hold(ctx, in.PackageID), in))
}

// RemovePackage leaves nothing of a package.
func (a *Package) RemovePackage(ctx context.Context, in automation.PackageInput) error {
	defer heartbeat(ctx)()
	return a.end(ctx, a.installer.Remove(ctx, hold(ctx, in.PackageID)))
}

// FailPackage ends a change that did not come about.
func (a *Package) FailPackage(ctx context.Context, in automation.PackageFailure) error {
	defer heartbeat(ctx)()
	return a.end(ctx, a.installer.Fail(ctx, hold(ctx, in.PackageID), in.Code, in.Message))
}

// CheckPackage asks the package's index for its newest version.
func (a *Package) CheckPackage(ctx context.Context, in automation.PackageInput) error {
	defer heartbeat(ctx)()
	return a.end(ctx, a.installer.Check(ctx, in.PackageID))
}
