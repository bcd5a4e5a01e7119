package process

import (
	"context"
	"fmt"
	"syscall"
)

// Run runs a program to its end, under the same care as Start: it does not outlive us, and ctx kills its group.
// Of cfg, what belongs to readiness and stopping is not used. An error carries the last lines of the log.
func Run(ctx context.Context, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	c, err := spawn(cfg)
	if err != nil {
		return fmt.Errorf("run %s: %w", cfg.Name, err)
	}
	select {
	case <-c.ended:
	case <-ctx.Done():
		_ = c.signal(syscall.SIGKILL)
		<-c.ended
		return fmt.Errorf("run %s: %w", cfg.Name, ctx.Err())
	}
	if c.err != nil {
		return fmt.Errorf("run %s: %w%s", cfg.Name, c.err, tail(cfg.LogFile))
	}
	return nil
}
