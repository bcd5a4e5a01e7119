package mcpclient

import "time"

// Task is a call that a server goes on with by itself (SEP-2663). Its id outlives the session and this process:
// whoever stores it asks for the rest with Pool.Task and never calls again.
type Task struct {
	ID     string
	Status TaskStatus
	// Said is the server's words about where it stands: foreign text.
	Said  string
	Poll  time.Duration // how long to wait before asking again; 0: the server does not say
	Keeps time.Duration // how long the server keeps it from its creation on; 0: it does not say
}

// TaskStatus is where a task stands.
type TaskStatus string

// The statuses of SEP-2663.
const (
	TaskWorking   TaskStatus = "working"
	TaskNeeds     TaskStatus = "input_required"
	TaskCompleted TaskStatus = "completed"
	TaskFailed    TaskStatus = "failed"
	TaskCancelled TaskStatus = "cancelled"
)
