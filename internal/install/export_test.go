package install

import "context"

// ReconcileNow is one round of Reconcile over every change.
func (s *Service) ReconcileNow(ctx context.Context) error { return s.reconcile(ctx, 0) }
