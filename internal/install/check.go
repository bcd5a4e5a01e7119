package install

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"steward/internal/automation"
	"steward/internal/fault"
)

// checkTimeout bounds how long callers wait for indexes.
const checkTimeout = 90 * time.Second

// Check asks the indexes for newer versions of the packages and returns when all have answered. Where one has not, its
// last word stays, and the error is an Upstream fault.
func (s *Service) Check(ctx context.Context, packages ...int64) error {
	if len(packages) == 0 {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make workflow id: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	run, err := s.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: "package-check/" + id.String(), TaskQueue: automation.TaskQueue, WorkflowTaskTimeout: 5 * time.Second,
		WorkflowExecutionTimeout: checkTimeout, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		StaticSummary: "ask for newer versions of packages",
	}, automation.WorkflowPackageCheck, automation.PackageCheckInput{PackageIDs: packages})
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "the indexes cannot be asked now")
	}
	if err := run.Get(ctx, nil); err != nil {
		return fault.Wrap(err, fault.Upstream, "not every package index has answered")
	}
	return nil
}
