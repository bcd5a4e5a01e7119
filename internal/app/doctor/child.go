package doctor

import (
	"context"
	"strings"

	"steward/internal/launch/process"
)

// children starts one that does nothing, as confined as it can be here.
func children(ctx context.Context, _ *subject) Finding {
	missing, err := process.Examine(ctx)
	switch {
	case err != nil:
		return warning("steward dev shows what happens then", "none can be started as our child: %s", err)
	case len(missing) > 0:
		return warning("a container needs more rights for that, another system a newer Linux; or register only servers that you trust with this machine",
			"our children are not confined in every way: %s", strings.Join(missing, "; "))
	}
	return good("our children are confined in every way: files, processes, users, system calls")
}
