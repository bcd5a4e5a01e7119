package google

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
)

// What Google documents of single events and the emulator lacks: to get one, to patch one under If-Match, and that a
// deleted one is known to be deleted (https://developers.google.com/workspace/calendar/api/v3/reference/events). It is done
// with what the emulator has: an event that is patched is made anew and keeps the id that clients know.

// event finds one among the events of its calendar. Without it, the answer is written already.
func (p *proxy) event(w http.ResponseWriter, r *http.Request) (map[string]any, bool) {
	asked := r.Clone(r.Context())
	asked.Method, asked.Body = http.MethodGet, http.NoBody
	asked.URL.Path, asked.URL.RawPath, asked.URL.RawQuery = "/calendar/v3/calendars/"+r.PathValue("calendar")+"/events", "", "maxResults=250"
	list := httptest.NewRecorder()
	if p.forward(list, asked); list.Code != http.StatusOK {
		copyTo(w, list, list.Body.String())
		return nil, false
	}
	var page struct{ Items []map[string]any }
	if json.Unmarshal(list.Body.Bytes(), &page) == nil {
		for _, one := range page.Items {
			if one["id"] == r.PathValue("id") {
				return one, true
			}
		}
	}
	if p.isGone(r.PathValue("id")) {
		return map[string]any{"kind": "calendar#event", "id": r.PathValue("id"), "status": "cancelled"}, true
	}
	Fault{Status: http.StatusNotFound, Reason: "notFound"}.write(w, Other)
	return nil, false
}

func (p *proxy) isGone(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ids.gone[id]
}

func (p *proxy) getEvent(w http.ResponseWriter, r *http.Request) {
	if one, ok := p.event(w, r); ok {
		respond(w, one)
	}
}

func (p *proxy) deleteEvent(w http.ResponseWriter, r *http.Request) {
	if p.isGone(r.PathValue("id")) {
		Fault{Status: http.StatusGone, Reason: "deleted"}.write(w, Other)
		return
	}
	deleted := httptest.NewRecorder()
	p.forward(deleted, r)
	if deleted.Code == http.StatusNoContent {
		p.mu.Lock()
		p.ids.gone[r.PathValue("id")] = true
		p.mu.Unlock()
	}
	w.WriteHeader(deleted.Code)
	_, _ = w.Write(deleted.Body.Bytes()) // who has gone away needs no answer
}

func (p *proxy) patchEvent(w http.ResponseWriter, r *http.Request) {
	p.patching.Lock()
	defer p.patching.Unlock()
	var change map[string]any
	if err := json.NewDecoder(r.Body).Decode(&change); err != nil {
		Fault{Status: http.StatusBadRequest, Reason: "parseError"}.write(w, Other)
		return
	}
	one, ok := p.event(w, r)
	if !ok {
		return
	}
	if match := r.Header.Get("If-Match"); match != "" && match != one["etag"] {
		Fault{Status: http.StatusPreconditionFailed, Reason: "conditionNotMet"}.write(w, Other)
		return
	}
	merge(one, change)
	again, err := json.Marshal(one)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	made := httptest.NewRecorder()
	p.forward(made, of(r, http.MethodPost, "/calendar/v3/calendars/"+r.PathValue("calendar")+"/events", again))
	var answer struct{ ID string }
	if made.Code != http.StatusOK || json.Unmarshal(made.Body.Bytes(), &answer) != nil {
		copyTo(w, made, made.Body.String())
		return
	}
	p.forward(httptest.NewRecorder(), of(r, http.MethodDelete, r.URL.Path, nil))
	p.name(r.PathValue("id"), answer.ID)
	copyTo(w, made, p.translation(true).Replace(made.Body.String()))
}

// of is another request of the same client.
func of(r *http.Request, method, path string, body []byte) *http.Request {
	r = r.Clone(r.Context())
	r.Method, r.URL.Path, r.URL.RawPath, r.URL.RawQuery = method, path, "", ""
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// merge applies a patch: null takes a member away, lists are replaced.
func merge(into, change map[string]any) {
	for name, value := range change {
		inner, object := value.(map[string]any)
		before, was := into[name].(map[string]any)
		if object && was {
			merge(before, inner)
			continue
		}
		into[name] = value
	}
	maps.DeleteFunc(into, func(_ string, value any) bool { return value == nil })
}
