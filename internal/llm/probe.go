package llm

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"steward/internal/automation"
)

// probeTimeout bounds the question who the endpoint is: a run can do without the answer.
const probeTimeout = 5 * time.Second

// probe asks for the list of models, whose owners tell compatible servers apart. It is answered when the
// endpoint spoke, even if it has no such list; not when it could not be reached or is unwell.
func (c *Client) probe(ctx context.Context) (name string, answered bool) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(c.base, "/")+"/models", nil)
	if err != nil {
		return "", false
	}
	if !c.key.IsZero() {
		req.Header.Set("Authorization", "Bearer "+c.key.Reveal())
	}
	res, err := c.http.Do(req)
	if err != nil {
		return "", false
	}
	defer res.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(res.Body)
	if err != nil || transient(res.StatusCode) {
		return "", false
	}
	return owner(body), true
}

// owner says whose list of models this is, by the owners that these servers are known to name.
func owner(body []byte) string {
	var list struct {
		Data []struct {
			ID      string `json:"id"`
			OwnedBy string `json:"owned_by"`
		}
	}
	if json.Unmarshal(body, &list) != nil {
		return compatible
	}
	for _, m := range list.Data {
		if m.ID == automation.OfflineModel {
			return automation.OfflineProvider
		}
		switch by := strings.ToLower(m.OwnedBy); {
		case by == "vllm", by == "llamacpp":
			return by
		case by == "library":
			return "ollama"
		case strings.HasPrefix(by, "organization"):
			return "lmstudio"
		}
	}
	return compatible
}
