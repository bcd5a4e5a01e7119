package automation

// Progress is how far a request to the model has got, for people who watch. It is told as it happens and kept
// nowhere, and holds nothing of what the model says.
type Progress struct {
	Step       int    `json:"step"`
	Doing      string `json:"doing"`                // preparing, compacting, waiting, queued, working, thinking or writing
	Item       string `json:"item,omitempty"`       // what is written: message, function_call, mcp_call or reasoning; empty: not known
	Characters int    `json:"characters,omitempty"` // of the answer so far
}
