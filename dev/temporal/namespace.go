package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	servercommon "go.temporal.io/server/common"
	"google.golang.org/protobuf/types/known/durationpb"
)

// openNamespace creates the namespace, sets its retention and returns once a workflow start would be
// accepted, or fails when that takes longer than 30 s.
func openNamespace(ctx context.Context, o options) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c, err := client.NewLazyClient(client.Options{HostPort: o.listen.String(), Namespace: o.namespace})
	if err != nil {
		return fmt.Errorf("open namespace %s: %w", o.namespace, err)
	}
	defer c.Close()
	for {
		err := tryNamespace(ctx, c.WorkflowService(), o)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("open namespace %s: %w", o.namespace, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func tryNamespace(ctx context.Context, service workflowservice.WorkflowServiceClient, o options) error {
	retention := durationpb.New(o.retention)
	_, err := service.RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: o.namespace, WorkflowExecutionRetentionPeriod: retention,
	})
	if _, exists := errors.AsType[*serviceerror.NamespaceAlreadyExists](err); exists {
		_, err = service.UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
			Namespace: o.namespace, Config: &namespace.NamespaceConfig{WorkflowExecutionRetentionTtl: retention},
		})
	}
	if err != nil {
		return err
	}
	description, err := service.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: o.namespace})
	if err != nil {
		return err
	}
	return probeShards(ctx, service, o.namespace, description.GetNamespaceInfo().GetId())
}

// probeShards asks each history shard for a workflow that does not exist. DescribeNamespace reads the database
// directly; only "not found" from a shard shows that the namespace has reached the caches of frontend and
// history and that the shard is owned, which is all that a start needs. It leaves nothing behind.
func probeShards(ctx context.Context, service workflowservice.WorkflowServiceClient, name, id string) error {
	probed := map[int32]bool{}
	for n := 0; len(probed) < historyShards; n++ {
		workflow := fmt.Sprintf("probe-%d", n)
		shard := servercommon.WorkflowIDToHistoryShard(id, workflow, historyShards)
		if probed[shard] {
			continue
		}
		_, err := service.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
			Namespace: name, Execution: &common.WorkflowExecution{WorkflowId: workflow},
		})
		if _, missing := errors.AsType[*serviceerror.NotFound](err); !missing && err != nil {
			return err
		}
		probed[shard] = true
	}
	return nil
}
