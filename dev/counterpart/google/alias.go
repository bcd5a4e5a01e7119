package google

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
)

// aliases are the ids that clients have chosen for files and events. Google takes them and refuses a second use of one
// (https://developers.google.com/workspace/drive/api/guides/create-file, .../calendar/api/v3/reference/events/insert); the
// emulator ignores them and gives ids of its own. Every request and every answer is translated.
type aliases struct {
	theirs map[string]string // the emulator's id by the client's; "" while it is being made
	gone   map[string]bool   // by the id that clients know: deleted
}

// take reserves an id; false if it was used before, also by what is deleted.
func (p *proxy) take(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, taken := p.ids.theirs[id]; taken {
		return false
	}
	p.ids.theirs[id] = ""
	return true
}

// name gives what the emulator has made the id that its client knows; without one the id is free again.
func (p *proxy) name(id, theirs string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if theirs == "" {
		delete(p.ids.theirs, id)
		return
	}
	p.ids.theirs[id] = theirs
}

// translation is from the clients' ids to the emulator's, or back. The ids are random: nothing else looks like them.
func (p *proxy) translation(back bool) *strings.Replacer {
	p.mu.Lock()
	defer p.mu.Unlock()
	var pairs []string
	for id, theirs := range p.ids.theirs {
		switch {
		case theirs == "":
		case back:
			pairs = append(pairs, theirs, id)
		default:
			pairs = append(pairs, id, theirs)
		}
	}
	return strings.NewReplacer(pairs...)
}

// translated is a request with the emulator's ids.
func (p *proxy) translated(r *http.Request) (*http.Request, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	to := p.translation(false)
	r = r.Clone(r.Context())
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery = to.Replace(r.URL.Path), "", to.Replace(r.URL.RawQuery)
	text := to.Replace(string(body))
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	r.Header.Set("Content-Length", strconv.Itoa(len(text)))
	return r, nil
}

// create makes a file or an event, whose id the client may have chosen.
func (p *proxy) create(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	id := chosen(r.Header.Get("Content-Type"), body)
	if id == "" {
		p.forward(w, r)
		return
	}
	if !p.take(id) {
		reason := "duplicate"
		if strings.Contains(r.URL.Path, files) {
			reason = "fileIdInUse"
		}
		Fault{Status: http.StatusConflict, Reason: reason}.write(w, Other)
		return
	}
	made := httptest.NewRecorder()
	p.forward(made, r)
	var answer struct{ ID string }
	if made.Code == http.StatusOK && json.Unmarshal(made.Body.Bytes(), &answer) != nil {
		answer.ID = ""
	}
	p.name(id, answer.ID)
	copyTo(w, made, p.translation(true).Replace(made.Body.String()))
}

// chosen is the id that a client has chosen, in a body of JSON or in the first part of one with media.
func chosen(contentType string, body []byte) string {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	if strings.HasPrefix(kind, "multipart/") {
		part, err := multipart.NewReader(bytes.NewReader(body), parameters["boundary"]).NextPart()
		if err != nil {
			return ""
		}
		if body, err = io.ReadAll(part); err != nil {
			return ""
		}
	}
	var file struct{ ID string }
	if json.Unmarshal(body, &file) != nil {
		return ""
	}
	return file.ID
}

// generate gives ids for files, a route that the emulator lacks.
func (p *proxy) generate(w http.ResponseWriter, r *http.Request) {
	asked := r.Clone(r.Context())
	asked.URL.Path, asked.URL.RawQuery = files, "pageSize=1"
	known := httptest.NewRecorder()
	if p.forward(known, asked); known.Code != http.StatusOK { // its token is refused
		copyTo(w, known, known.Body.String())
		return
	}
	n, err := strconv.Atoi(r.URL.Query().Get("count"))
	if err != nil || n < 1 || n > 1000 {
		n = 10
	}
	ids := make([]string, n)
	for i := range ids {
		ids[i] = "1" + rand.Text()
	}
	respond(w, map[string]any{"kind": "drive#generatedIds", "space": "drive", "ids": ids})
}

func respond(w http.ResponseWriter, doc any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(doc) // who has gone away needs no answer
}

// copyTo answers with what was recorded, under another body.
func copyTo(w http.ResponseWriter, held *httptest.ResponseRecorder, body string) {
	for name, values := range held.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(held.Code)
	_, _ = io.WriteString(w, body) // who has gone away needs no answer
}
