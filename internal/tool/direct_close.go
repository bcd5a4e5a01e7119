package tool

import "context"

// Close waits until the audit events of reading calls are written, or until ctx ends. No call may be made afterwards.
func (x *Executor) Close(ctx context.Context) error { return x.direct.reads.close(ctx) }
