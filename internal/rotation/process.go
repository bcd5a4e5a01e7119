package rotation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"steward/internal/fault"
	"steward/internal/store"
)

// Process is a living one and the keys that it holds of the ring.
type Process struct {
	Role    string    `json:"role"`
	Host    string    `json:"host"`
	PID     int32     `json:"pid"`
	Follows bool      `json:"follows_keys_file"` // false: its keys come from the environment, a restart changes them
	Keys    []string  `json:"keys"`              // the sealing one first
	SeenAt  time.Time `json:"seen_at"`
}

// String names it to people.
func (p Process) String() string {
	name := fmt.Sprintf("%s (pid %d on %s)", p.Role, p.PID, p.Host)
	if !p.Follows {
		name += ", whose keys come from its environment and change with a restart"
	}
	return name
}

func (p Process) holds(id string) bool { return slices.Contains(p.Keys, id) }
func (p Process) seals(id string) bool { return p.Keys[0] == id }

// processes lists those that have been heard of lately.
func (s *Service) processes(ctx context.Context) ([]Process, error) {
	rows, err := s.db.ListHolders(ctx, store.ListHoldersParams{Ring: s.ring.Name, Silence: silence})
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	living := make([]Process, len(rows))
	for i, row := range rows {
		living[i] = Process{Role: row.Role, Host: row.Host, PID: row.PID, Follows: row.Follows, Keys: row.KeyIDs, SeenAt: row.SeenAt}
	}
	return living, nil
}

// lookEvery is how often a command looks whether the processes have followed. They do within a second.
const lookEvery = 100 * time.Millisecond

// await waits until good is true of every living process. It returns those of which it is not when within is
// over; told hears of them each time they change.
func (s *Service) await(ctx context.Context, within time.Duration, good func(Process) bool, told func([]Process)) ([]Process, error) {
	deadline := time.Now().Add(within)
	before := -1
	for {
		living, err := s.processes(ctx)
		if err != nil {
			return nil, err
		}
		bad := slices.DeleteFunc(living, good)
		if len(bad) == 0 || !time.Now().Before(deadline) {
			return bad, nil
		}
		if len(bad) != before {
			before = len(bad)
			told(bad)
		}
		select {
		case <-ctx.Done():
			return bad, ctx.Err()
		case <-time.After(lookEvery):
		}
	}
}

// holdsWhatSeals refuses to seal with a key that a living process could not open.
func (s *Service) holdsWhatSeals(ctx context.Context) error {
	id := s.ring.Keys.KeyID()
	bad, err := s.await(ctx, followTime, func(p Process) bool { return p.holds(id) }, func([]Process) {})
	if err == nil && len(bad) > 0 {
		err = fault.New(fault.Conflict, "not every process holds key %s: %s", id, names(bad)).WithCode("key_not_held")
	}
	return err
}

func names(processes []Process) string {
	all := make([]string, len(processes))
	for i, p := range processes {
		all[i] = p.String()
	}
	return strings.Join(all, "; ")
}
