package llm

import "encoding/json"

// head is what every state of a response has.
type head struct {
	ID, Status string
	Background bool
}

// head reads the state of a response without its result.
func (a reply) head() (head, error) {
	var h head
	if json.Unmarshal(a.body, &h) != nil {
		return head{}, a.blame(nonsense("not a response object"))
	}
	if a.guard.safe(h.ID) == "" || checkID(h.ID) != nil {
		return head{}, a.blame(nonsense("no id"))
	}
	return h, nil
}

// working says that there is no result yet.
func (h head) working() bool { return h.Status == "queued" || h.Status == "in_progress" }
