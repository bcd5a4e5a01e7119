package offline

import (
	"strconv"
	"strings"
	"sync"

	"steward/dev/offline/dialog"
	"steward/dev/offline/simulation"
)

// attemptHeader is what Steward sends as run/<id>/<step>/<attempt>; attempts are counted from 1. A
// number that comes from the client survives restarts on both sides and does not depend on what
// other runs do, so simulated outages are deterministic. Clients that send no such header are counted
// here, by canonical request, for a bounded number of requests.
const attemptHeader = "X-Client-Request-Id"

type outage int

const (
	none outage = iota
	rateLimited
	serverError
	failedStatus
)

// outage says how a request fails. Only the first step of a task does: "rate_limit 2" means that two
// requests of a run are refused, not two of every step.
func (s *Server) outage(plan simulation.Plan, d dialog.Dialog, digest, header string) outage {
	if len(d.Calls) > 0 || plan.RateLimit+plan.ServerError+plan.Failed == 0 {
		return none
	}
	attempt, err := strconv.Atoi(header[strings.LastIndexByte(header, '/')+1:])
	if err != nil || attempt < 1 || !strings.Contains(header, "/") {
		attempt = s.attempts.next(digest)
	}
	for _, phase := range []struct {
		attempts int
		outage   outage
	}{{plan.RateLimit, rateLimited}, {plan.ServerError, serverError}, {plan.Failed, failedStatus}} {
		if attempt <= phase.attempts {
			return phase.outage
		}
		attempt -= phase.attempts
	}
	return none
}

const maxAttempts = 4096

// attempts counts how often a request came; the oldest ones are forgotten.
type attempts struct {
	mu    sync.Mutex
	count map[string]int
	order []string
}

func newAttempts() *attempts { return &attempts{count: map[string]int{}} }

func (a *attempts) next(digest string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.count[digest] == 0 {
		if len(a.order) == maxAttempts {
			delete(a.count, a.order[0])
			a.order = a.order[1:]
		}
		a.order = append(a.order, digest)
	}
	a.count[digest]++
	return a.count[digest]
}
