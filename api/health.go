package api

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/fault"
)

// Probe asks one thing that we depend on whether it is there.
type Probe struct {
	Name  string // postgres, temporal, worker
	Check func(context.Context) error
}

const (
	probeTime = 2 * time.Second
	// probeAge is how old an answer may be: /ready is open to everybody and must not pass floods on.
	probeAge = time.Second
)

type health struct {
	probes []Probe

	mu      sync.Mutex
	asked   time.Time
	missing []string
	cause   error
}

func (h *health) register(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getHealth", Method: http.MethodGet, Path: "/health", Tags: []string{"health"},
			Summary:     "Is the process alive",
			Description: "Always cheap: it asks nothing else. Use `/ready` to learn whether the service can work.",
		},
		access: access{open: true}, answers: healthBody{Status: "ok"},
	}, h.alive)
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getReady", Method: http.MethodGet, Path: "/ready", Tags: []string{"health"},
			Summary:     "Can the service work",
			Description: "Asks everything the service depends on. 503 with code `not_ready` names what is missing in `errors`.",
		},
		access: access{open: true}, answers: readyBody{Status: "ready", Checks: map[string]string{"postgres": "ok", "temporal": "ok", "worker": "ok"}},
	}, h.ready)
}

type healthBody struct {
	Status string `json:"status" enum:"ok" doc:"Always ok." example:"ok"`
}

type healthOutput struct{ Body healthBody }

func (h *health) alive(context.Context, *struct{}) (*healthOutput, error) {
	return &healthOutput{Body: healthBody{Status: "ok"}}, nil
}

type readyBody struct {
	Status string            `json:"status" enum:"ready" doc:"Always ready; otherwise the answer is 503." example:"ready"`
	Checks map[string]string `json:"checks" doc:"Each dependency and ok."`
}

type readyOutput struct{ Body readyBody }

func (h *health) ready(ctx context.Context, _ *struct{}) (*readyOutput, error) {
	missing, cause := h.ask(ctx)
	if len(missing) > 0 {
		e := &fault.Error{Kind: fault.Unavailable, Code: "not_ready", Msg: missing[0] + " is not available", RetryAfter: 2 * probeAge, Err: cause}
		for _, name := range missing {
			e.Fields = append(e.Fields, fault.Field{Location: name, Message: "not available"})
		}
		return nil, e
	}
	checks := map[string]string{}
	for _, p := range h.probes {
		checks[p.Name] = "ok"
	}
	return &readyOutput{Body: readyBody{Status: "ready", Checks: checks}}, nil
}

// ask runs all probes side by side, or returns an answer that is fresh enough. Callers wait for each
// other: a flood asks once.
func (h *health) ask(ctx context.Context) (missing []string, cause error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.asked) < probeAge {
		return h.missing, h.cause
	}
	// Somebody else's hanging up must not make the next one's answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTime)
	defer cancel()
	errs := make([]error, len(h.probes))
	var wg sync.WaitGroup
	for i, p := range h.probes {
		wg.Go(func() { errs[i] = p.Check(ctx) })
	}
	wg.Wait()
	h.missing = nil
	for i, err := range errs {
		if err != nil {
			h.missing = append(h.missing, h.probes[i].Name)
		}
	}
	h.cause, h.asked = errors.Join(errs...), time.Now()
	return h.missing, h.cause
}
