package mcpclient

// State is how a session fares, for people who watch a server.
type State string

// The states.
const (
	StateConnecting   State = "connecting"
	StateConnected    State = "connected"
	StateDisconnected State = "disconnected" // closed: idle, replaced, or gone by itself
	StateError        State = "error"        // it could not be opened
)
