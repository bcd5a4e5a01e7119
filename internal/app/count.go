package app

import (
	"context"
	"net/http"
	"strconv"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"

	"steward/internal/telemetry"
)

// counted counts answers, and the accepted runs among them.
func counted(next http.Handler, answers, accepted *telemetry.Tally) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(c, r)
		answers.Add(method(r.Method), strconv.Itoa(c.status))
		if r.Method == http.MethodPost && r.URL.Path == "/automation/run" && c.status == http.StatusAccepted {
			accepted.Add()
		}
	})
}

// method bounds the values of a label: a caller may send any word.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions:
		return m
	}
	return "other"
}

type statusWriter struct {
	http.ResponseWriter

	status int
	sent   bool
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader remembers the first status.
func (w *statusWriter) WriteHeader(status int) {
	if !w.sent {
		w.status, w.sent = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// activityCounter counts attempts of activities by name and result.
type activityCounter struct {
	interceptor.WorkerInterceptorBase

	attempts *telemetry.Tally
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (c *activityCounter) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	in := &countedActivity{attempts: c.attempts}
	in.Next = next
	return in
}

type countedActivity struct {
	interceptor.ActivityInboundInterceptorBase

	attempts *telemetry.Tally
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (a *countedActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	out, err := a.Next.ExecuteActivity(ctx, in)
	result := "done"
	if err != nil {
		result = "failed"
	}
	a.attempts.Add(activity.GetInfo(ctx).ActivityType.Name, result)
	return out, err
}
