package process

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"syscall"
	"time"
)

// Pauses and limits that no caller has a reason to choose.
const (
	firstPause  = 200 * time.Millisecond // before the first restart; doubled each time
	longestWait = 5 * time.Second        // between two restarts
	steadyAfter = 10 * time.Second       // a child that lived this long starts again at firstPause
	killWait    = 5 * time.Second        // between Config.KillSignal and SIGKILL
	readyPause  = 10 * time.Millisecond  // between two calls of Config.Ready
	readyCall   = 2 * time.Second        // limit of one call of Config.Ready
)

// Config says what to run. Name, Path and Log are required.
type Config struct {
	Name string   // in logs and errors
	Path string   // of the program, which is not looked up
	Args []string // without the program; never a secret, since every user of the machine can read them
	Env  []string // the whole environment as "name=value": nothing is inherited (see Inherit)
	Dir  string   // working directory; empty is the supervisor's

	Log     *slog.Logger // what the supervisor does; with Forward, what the child says too
	LogFile string       // standard output and error, appended, mode 0600; empty drops them
	Forward bool         // copy each line of output to Log

	// The child is ready when it has printed ReadyLine and Ready has returned nil. Ready is repeated until
	// then, each time for 2 s at most. With neither, a child that has started is ready.
	ReadyLine string
	Ready     func(context.Context) error

	StartTimeout time.Duration // until ready; 30 s when 0
	StopTimeout  time.Duration // between StopSignal and KillSignal; 10 s when 0

	StopSignal  syscall.Signal // SIGTERM when 0
	KillSignal  syscall.Signal // SIGKILL when 0
	DeathSignal syscall.Signal // sent by Linux when the supervisor has died; SIGKILL when 0

	Lifeline   bool                // hold the child's standard input open: its end tells the child that we died
	Credential *syscall.Credential // another user to run as; needs root
}

func (c Config) withDefaults() (Config, error) {
	if c.Name == "" || c.Path == "" || c.Log == nil {
		return c, errors.New("process: Name, Path and Log are required")
	}
	orDuration(&c.StartTimeout, 30*time.Second)
	orDuration(&c.StopTimeout, 10*time.Second)
	orSignal(&c.StopSignal, syscall.SIGTERM)
	orSignal(&c.KillSignal, syscall.SIGKILL)
	orSignal(&c.DeathSignal, syscall.SIGKILL)
	if c.Env == nil {
		c.Env = []string{} // nil would make os/exec pass on ours
	}
	return c, nil
}

func orDuration(d *time.Duration, fallback time.Duration) {
	if *d == 0 {
		*d = fallback
	}
}

func orSignal(s *syscall.Signal, fallback syscall.Signal) {
	if *s == 0 {
		*s = fallback
	}
}

// Inherit returns the named variables that are set here, for Config.Env.
func Inherit(names ...string) []string {
	env := []string{}
	for _, name := range names {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
