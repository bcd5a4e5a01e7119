package api

import (
	"net/url"
	"strings"
)

// temporalUI makes links into the Temporal Web UI.
type temporalUI struct{ address, namespace string }

// workflow links to the latest execution of a workflow; "" without a UI.
func (t temporalUI) workflow(id string) string {
	if t.address == "" {
		return ""
	}
	return strings.TrimSuffix(t.address, "/") + "/namespaces/" + url.PathEscape(t.namespace) + "/workflows/" + url.PathEscape(id)
}
