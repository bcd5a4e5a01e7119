package tool

import (
	"context"
	"maps"
	"slices"
	"time"

	"steward/internal/mcpclient"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/vault"
)

// scrubber takes secrets out of what a server says: a careless one repeats what it was given.
type scrubber []*secret.Redactor

// redactorKey names values that do not change under it.
type redactorKey struct {
	owner                    string
	server, version, secrets int64
}

// scrubbersAge is how long a scrubber that nobody uses is kept; what it knows is fixed by its key.
const scrubbersAge = time.Minute

// scrubberOf knows the server's own secrets and what the owner has stored for it.
func (i *injector) scrubberOf(ctx context.Context, owner string, s *store.MCPServer, kept vault.Kept) (scrubber, error) {
	key := redactorKey{owner, s.ID, s.Version, kept.Version}
	return i.redactors.get(ctx, key, scrubbersAge, func(context.Context) (scrubber, error) {
		out := scrubber{}
		if len(s.EnvSealed) > 0 || len(s.HeadersSealed) > 0 {
			own, err := i.reg.Redactor(s)
			if err != nil {
				return nil, err
			}
			out = append(out, own)
		}
		if len(kept.Values) > 0 {
			out = append(out, secret.NewRedactor(slices.Collect(maps.Values(kept.Values))...).Exact())
		}
		return out, nil
	})
}

func (s scrubber) text(text string) string {
	for _, r := range s {
		text = r.Text(text)
	}
	return text
}

func (s scrubber) json(doc []byte) []byte {
	if len(doc) == 0 {
		return doc
	}
	for _, r := range s {
		doc = r.JSON(doc)
	}
	return doc
}

// result is what the server answered, without secrets.
func (s scrubber) result(r *mcpclient.Result) *mcpclient.Result {
	if len(s) == 0 {
		return r
	}
	clean := *r
	clean.Content, clean.Structured = s.json(r.Content), s.json(r.Structured)
	if r.Needs != nil {
		clean.Needs = s.needs(r.Needs)
	}
	if r.Task != nil {
		task := *r.Task
		task.Said = s.text(task.Said)
		clean.Task = &task
	}
	return &clean
}

// needs cleans what people read. The state is the server's own and goes back to it as it is.
func (s scrubber) needs(n *mcpclient.Needs) *mcpclient.Needs {
	clean := *n
	clean.Questions = make(map[string]mcpclient.Question, len(n.Questions))
	for name, q := range n.Questions {
		clean.Questions[name] = s.question(q)
	}
	return &clean
}

func (s scrubber) question(q mcpclient.Question) mcpclient.Question {
	q.Message, q.URL, q.Schema = s.text(q.Message), s.text(q.URL), s.json(q.Schema)
	return q
}
