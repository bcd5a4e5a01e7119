package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/store"
)

const (
	eventPage     = 200
	heartbeatTime = 15 * time.Second
)

// RunEvent is the data of one event of a run: an audit row.
type RunEvent struct {
	Seq   int64           `json:"seq" doc:"Number within the run, without gaps; the event's id." example:"7"`
	At    time.Time       `json:"at" doc:"When it was written." example:"2026-11-20T09:30:02Z"`
	Kind  string          `json:"kind" doc:"What happened; the event's name." example:"tool.settled"`
	Actor string          `json:"actor" doc:"Who did it." example:"worker"`
	Body  json.RawMessage `json:"body" doc:"The facts, as they are hashed in the audit log."`
}

type eventsInput struct {
	Caller

	ID          int64  `path:"id" minimum:"1" doc:"The run's number." example:"1"`
	LastEventID string `header:"Last-Event-ID" maxLength:"20" doc:"Number of the last event that the reader has; the stream goes on behind it." example:"6"`
	After       string `query:"after" maxLength:"20" doc:"The same, for readers that cannot set headers. The header wins." example:"6"`
}

type streamOutput struct{ Body func(huma.Context) }

func (h *runs) registerEvents(api huma.API) {
	event := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[RunEvent](), true, "RunEvent")
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "streamRunEvents", Method: http.MethodGet, Path: "/automation/run/{id}/events", Tags: []string{"runs"},
			Summary: "Follow a run",
			Description: "Server-Sent Events: everything that has happened and then everything as it happens. `id` is the event's number, `event` its kind, " +
				"`data` a RunEvent. Resuming with `Last-Event-ID` neither repeats nor misses an event. In between, at most once a second, " +
				"`event: progress` without `id` tells how far the model has got, as in `{\"step\":1,\"doing\":\"writing\",\"item\":\"message\",\"characters\":312}`; " +
				"`doing` is preparing, compacting, waiting, queued, working, thinking or writing; while a tool is called it is calling, with `call`, `done`, `total` " +
				"and `message` in the server's own words. It is kept nowhere, and over with the next event. " +
				"A comment every 15 s keeps the line open. The stream ends behind the last event of a finished run, and when the caller's token expires; a reader that already has the last " +
				"event of a finished run gets 204, which tells browsers to stop reconnecting. At most 20 streams per user.",
			Errors: []int{http.StatusNotFound},
			Responses: map[string]*huma.Response{
				"200": {Description: "The events.", Content: map[string]*huma.MediaType{eventStreamType: {
					Schema: &huma.Schema{
						Type: huma.TypeString, Description: "Lines as in WHATWG HTML §9.2.", Extensions: map[string]any{"x-event-data": event},
					},
					Example: "id: 7\nevent: tool.settled\ndata: {\"seq\":7,\"at\":\"2026-11-20T09:30:02Z\",\"kind\":\"tool.settled\",\"actor\":\"worker\",\"body\":{\"state\":\"done\"}}\n\n",
				}}},
				"204": {Description: "The run is over and the reader has its last event."},
			},
		},
		access: access{scope: auth.RunsRead},
	}, h.events)
}

// events checks everything that can be refused before the stream opens: afterwards no status can be sent.
func (h *runs) events(ctx context.Context, in *eventsInput) (*streamOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	after, err := resumePoint(in.LastEventID, in.After)
	if err != nil {
		return nil, err
	}
	row, err := h.find(ctx, p.Owner, in.ID)
	if err != nil {
		return nil, err
	}
	first, err := h.eventsAfter(ctx, row.ID, after)
	if err != nil {
		return nil, err
	}
	if len(first) == 0 && row.FinishedAt != nil {
		return &streamOutput{Body: func(c huma.Context) { c.SetStatus(http.StatusNoContent) }}, nil
	}
	leave, err := h.streams.enter(p.Owner)
	if err != nil {
		return nil, err
	}
	return &streamOutput{Body: func(c huma.Context) {
		defer leave()
		ctx, cancel := context.WithDeadline(c.Context(), p.Expires)
		defer cancel()
		r, w := humachi.Unwrap(c)
		if r.Method == http.MethodHead { // no body, so nothing to wait for
			w.Header().Set("Content-Type", eventStreamType)
			return
		}
		if err := h.follow(ctx, w, p.Owner, row.ID, after); err != nil && ctx.Err() == nil {
			requestOf(ctx).cause = err // the status is out; the reader resumes where it was cut off
		}
	}}, nil
}

// follow writes events until the run is over, the reader has gone or its token ends, or we shut down.
// It subscribes before it reads, so that nothing falls between; it learns that the run is over before it
// reads the last time, so that nothing comes after.
func (h *runs) follow(ctx context.Context, w http.ResponseWriter, owner string, id, after int64) error {
	chain := automation.AuditChain(id)
	wake, cancel := h.feed.Subscribe(chain)
	defer cancel()
	stream, err := openStream(w)
	if err != nil {
		return err
	}
	beat := time.NewTicker(h.beat)
	defer beat.Stop()
	var progress json.RawMessage // as it was last sent
	for {
		row, err := h.find(ctx, owner, id)
		if err != nil {
			return err
		}
		before := after
		if after, err = h.drain(ctx, stream, id, after); err != nil {
			return err
		}
		if row.FinishedAt != nil {
			return nil
		}
		if after != before {
			progress = nil // that was of what is over
		}
		if progress, err = h.tell(stream, chain, progress); err != nil {
			return err
		}
		select {
		case <-wake:
		case <-beat.C: // also finds what a lost notification would have told
			if err := stream.heartbeat(); err != nil {
				return err
			}
		case <-h.closing:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drain sends every event behind after and returns the number of the last.
func (h *runs) drain(ctx context.Context, stream *eventStream, id, after int64) (int64, error) {
	for {
		page, err := h.eventsAfter(ctx, id, after)
		if err != nil || len(page) == 0 {
			return after, err
		}
		for _, e := range page {
			if err := stream.event(e.Seq, e.Kind, RunEvent{Seq: e.Seq, At: e.At, Kind: e.Kind, Actor: e.Actor, Body: json.RawMessage(e.Body)}); err != nil {
				return after, err
			}
			after = e.Seq
		}
		if err := stream.flush(); err != nil {
			return after, err
		}
		if len(page) < eventPage {
			return after, nil
		}
	}
}

// tell sends how far the model has got, unless last was the same, and returns what the reader knows.
func (h *runs) tell(stream *eventStream, chain string, last json.RawMessage) (json.RawMessage, error) {
	now, ok := h.feed.Progress(chain)
	if !ok || bytes.Equal(now, last) {
		return last, nil
	}
	if err := stream.passing("progress", now); err != nil {
		return last, err
	}
	return now, stream.flush()
}

// eventsAfter reads a page of a run's events. Who calls has made sure that the run is the caller's.
func (h *runs) eventsAfter(ctx context.Context, id, after int64) ([]*store.AuditEvent, error) {
	page, err := h.db.ListAudit(ctx, store.ListAuditParams{Chain: automation.AuditChain(id), AfterSeq: after, PageSize: eventPage})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return page, nil
}
