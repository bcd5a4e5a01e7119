package automation

// Progress is how far a request to the model, or a call of a tool, has got, for people who watch. It is told as it
// happens and kept nowhere, and holds nothing of what the model says.
type Progress struct {
	Step       int    `json:"step"`
	Doing      string `json:"doing"`                // preparing, compacting, waiting, queued, working, thinking, writing or calling
	Item       string `json:"item,omitempty"`       // what is written: message, function_call, mcp_call or reasoning; empty: not known
	Characters int    `json:"characters,omitempty"` // of the answer so far

	// While Doing is calling: which call, and what the server says of it.
	Call    string  `json:"call,omitempty"`
	Done    float64 `json:"done,omitempty"`
	Total   float64 `json:"total,omitempty"`   // 0: the server does not know
	Message string  `json:"message,omitempty"` // the server's own words: foreign text
}
