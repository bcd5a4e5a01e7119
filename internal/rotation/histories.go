package rotation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/workflowservice/v1"
)

// Histories is what can be asked of Temporal about the payloads that it keeps.
type Histories struct {
	service   workflowservice.WorkflowServiceClient
	namespace string
}

// NewHistories asks about a namespace.
func NewHistories(service workflowservice.WorkflowServiceClient, namespace string) (*Histories, error) {
	if service == nil || namespace == "" {
		return nil, errors.New("histories need Temporal and a namespace")
	}
	return &Histories{service: service, namespace: namespace}, nil
}

// temporalTimeout bounds a question: the client would try again for as long as it may.
const temporalTimeout = 5 * time.Second

// retention is how long the namespace keeps histories of workflows that have ended.
func (h *Histories) retention(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, temporalTimeout)
	defer cancel()
	d, err := h.service.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: h.namespace})
	if err != nil {
		return 0, fmt.Errorf("describe namespace: %w", err)
	}
	return d.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(), nil
}

// before counts histories of workflows of any type that began before a moment, open or closed.
func (h *Histories) before(ctx context.Context, moment time.Time) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, temporalTimeout)
	defer cancel()
	counted, err := h.service.CountWorkflowExecutions(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: h.namespace, Query: fmt.Sprintf("StartTime < '%s'", moment.UTC().Format(time.RFC3339Nano)),
	})
	if err != nil {
		return 0, fmt.Errorf("count histories: %w", err)
	}
	return counted.GetCount(), nil
}
