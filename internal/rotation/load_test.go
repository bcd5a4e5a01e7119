package rotation_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"steward/internal/rotation"
	"steward/internal/secret"
	"steward/internal/store"
)

// Environment of the child that rewraps.
const (
	childData     = "STEWARD_TEST_REWRAP_DATA"
	childDatabase = "STEWARD_TEST_REWRAP_DATABASE"
)

// childRewrap is a process of its own. After each batch it says how far it is and waits for a line.
func childRewrap() int {
	ctx := context.Background()
	ring, err := openRing(os.Getenv(childData), rotation.Secrets)
	if err != nil {
		return 1
	}
	db, err := store.Open(ctx, secret.New(os.Getenv(childDatabase)), 4)
	if err != nil {
		return 1
	}
	service, err := rotation.New(db, ring, "cli:child", silent)
	if err != nil {
		return 1
	}
	orders := bufio.NewReader(os.Stdin)
	result, err := service.Rewrap(ctx, func(r rotation.Rewrapped) {
		_, _ = fmt.Println(r.Resealed) //nolint:forbidigo // our parent reads it
		_, _ = orders.ReadString('\n')
	})
	if err != nil || len(result.Failures) > 0 {
		return 1
	}
	return 0
}

// rewrapInChild starts a rewrap; killed after so many values if that is more than 0. It returns the child's pid.
func (s *site) rewrapInChild(killAfter int) int {
	s.Helper()
	self, err := os.Executable()
	require.NoError(s, err)
	child := exec.CommandContext(s.Context(), self)
	child.Env = append(os.Environ(), childData+"="+s.data, childDatabase+"="+s.url.Reveal())
	child.Stderr = os.Stderr
	orders, err := child.StdinPipe()
	require.NoError(s, err)
	said, err := child.StdoutPipe()
	require.NoError(s, err)
	require.NoError(s, child.Start())
	for lines := bufio.NewScanner(said); lines.Scan(); {
		done, err := strconv.Atoi(lines.Text())
		require.NoError(s, err)
		_, err = fmt.Fprintln(orders)
		require.NoError(s, err)
		if killAfter > 0 && done >= killAfter {
			require.NoError(s, child.Process.Kill(), "somewhere in the next batch")
			break
		}
	}
	err = child.Wait()
	require.Equal(s, killAfter > 0, err != nil, "%v", err)
	return child.Process.Pid
}

// shelf is a table with a sealed column, one row for each number.
type shelf struct{ insert, read, write string }

const perShelf = 2000

// shelves hold 10,000 values together. $1 is the row's number, $2 the value.
var shelves = []shelf{
	{
		`INSERT INTO automation_runs (id, owner, actor, workflow_id, instructions_sealed, limits) VALUES ($1::int, 'alice', 'alice', 'run-' || $1::int, $2, '{}')`,
		`SELECT instructions_sealed FROM automation_runs WHERE id = $1::int`,
		`UPDATE automation_runs SET instructions_sealed = $2 WHERE id = $1::int`,
	},
	{
		`INSERT INTO run_steps (run_id, step, temporal_run_id, items_sealed, result) VALUES ($1::int, 1, 'branch', $2, '{}')`,
		`SELECT items_sealed FROM run_steps WHERE run_id = $1::int`,
		`UPDATE run_steps SET items_sealed = $2 WHERE run_id = $1::int`,
	},
	{
		`INSERT INTO tool_calls (id, run_id, owner, step, position, call_id, function_name, tool_name, class, pin, arguments_sealed, digest)
			VALUES ('call-' || $1::int, $1::int, 'alice', 1, 1, 'c', 'f', 't', 'read', 'p', $2, 'd')`,
		`SELECT arguments_sealed FROM tool_calls WHERE id = 'call-' || $1::int`,
		`UPDATE tool_calls SET arguments_sealed = $2 WHERE id = 'call-' || $1::int`,
	},
	{
		`INSERT INTO mcp_servers (id, name, transport, env_sealed) VALUES ($1::int, 'server-' || $1::int, 'stdio', $2)`,
		`SELECT env_sealed FROM mcp_servers WHERE id = $1::int`,
		`UPDATE mcp_servers SET env_sealed = $2, version = version + 1 WHERE id = $1::int`,
	},
	{
		`INSERT INTO credentials (id, owner, provider, subject, scopes, access_sealed, expires_at)
			VALUES ($1::int, 'user-' || $1::int, 'google', 's', '{}', $2, now())`,
		`SELECT access_sealed FROM credentials WHERE id = $1::int`,
		`UPDATE credentials SET access_sealed = $2, version = version + 1 WHERE id = $1::int`,
	},
}

// drawer is a value on a shelf: a counter that only its writer raises.
type drawer struct {
	shelf, row int
	written    atomic.Int64 // committed
}

func (d *drawer) binding() secret.Binding {
	return secret.Binding{Owner: "alice", Purpose: "test", Ref: fmt.Sprintf("%d/%d", d.shelf, d.row)}
}

func (d *drawer) seal(ring *secret.Ring, n int64) ([]byte, error) {
	return ring.Seal(d.binding(), []byte(strconv.FormatInt(n, 10)+strings.Repeat(" word", 40)))
}

// open returns the counter in a sealed value.
func (d *drawer) open(ring *secret.Ring, sealed []byte) (int64, error) {
	plain, err := ring.Open(d.binding(), sealed)
	if err != nil {
		return 0, err
	}
	number, _, _ := strings.Cut(string(plain), " ")
	return strconv.ParseInt(number, 10, 64)
}

func (d *drawer) raise(ctx context.Context, db *store.DB, ring *secret.Ring) error {
	next := d.written.Load() + 1
	sealed, err := d.seal(ring, next)
	if err == nil {
		_, err = db.Pool.Exec(ctx, shelves[d.shelf].write, d.row, sealed)
	}
	if err == nil {
		d.written.Store(next)
	}
	return err
}

// look reads and opens, and demands what had been written before or later.
func (d *drawer) look(ctx context.Context, db *store.DB, ring *secret.Ring) error {
	least := d.written.Load()
	var sealed []byte
	if err := db.Pool.QueryRow(ctx, shelves[d.shelf].read, d.row).Scan(&sealed); err != nil {
		return err
	}
	n, err := d.open(ring, sealed)
	if err == nil && n < least {
		err = fmt.Errorf("lost update: %d after %d", n, least)
	}
	return err
}

func (s *site) fill(ring *secret.Ring) []*drawer {
	s.Helper()
	var drawers []*drawer
	for i, shelf := range shelves {
		var inserts pgx.Batch
		for row := range perShelf {
			d := &drawer{shelf: i, row: row + 1}
			sealed, err := d.seal(ring, 0)
			require.NoError(s, err)
			inserts.Queue(shelf.insert, d.row, sealed)
			drawers = append(drawers, d)
		}
		require.NoError(s, s.db.Pool.SendBatch(s.Context(), &inserts).Close())
	}
	return drawers
}

// The goal of security.md §4: rotation of 10,000 secrets under load, 0 failed requests, 60 s at most; with the
// rewrap killed in the middle.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	rings := []rotation.Ring{s.ring(rotation.Secrets), s.ring(rotation.Secrets)}
	drawers := s.fill(rings[0].Keys)
	old := rings[0].Keys.KeyID()
	s.start("api", rings[0])
	s.start("worker", rings[1])
	s.eventually(5*time.Second, "both are known", func() bool { return len(s.status(rotation.Secrets).Processes) == 2 })

	load := make(chan struct{})
	var working sync.WaitGroup
	var reads, writes atomic.Int64
	for i, ring := range rings {
		db := s.connect()
		work := func(count *atomic.Int64, one func(*drawer) error, mine func(int) bool) {
			working.Go(func() {
				for {
					select {
					case <-load:
						return
					default:
					}
					if n := rand.IntN(len(drawers)); mine(n) {
						if err := one(drawers[n]); err != nil {
							t.Error(err)
							return
						}
						count.Add(1)
					}
				}
			})
		}
		work(&writes, func(d *drawer) error { return d.raise(t.Context(), db, ring.Keys) }, func(n int) bool { return n%len(rings) == i })
		work(&reads, func(d *drawer) error { return d.look(t.Context(), db, ring.Keys) }, func(int) bool { return true })
	}

	began := time.Now()
	service := s.service(rotation.Secrets)
	fresh, err := service.Add(t.Context())
	require.NoError(t, err)
	require.NoError(t, service.Promote(t.Context(), fresh, rotation.Promotion{Within: 20 * time.Second, Told: nobody}))
	promoted := time.Since(began)

	err = service.Retire(t.Context(), old, rotation.Retirement{Age: new(time.Duration), Within: time.Second, Told: nobody})
	require.ErrorContains(t, err, "rewrap first")
	killed := s.rewrapInChild(3000)
	counts, err := service.Count(t.Context())
	require.NoError(t, err)
	require.Positive(t, counts[old], "it was killed in the middle")
	left := counts[old]
	began = time.Now()
	s.rewrapInChild(0)
	rewrapped := time.Since(began)
	counts, err = service.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int64{fresh: int64(len(drawers))}, counts)

	// A killed process counts as living for half a minute; here that is over.
	s.exec("DELETE FROM ring_holders WHERE pid = $1", killed)
	require.NoError(t, service.Retire(t.Context(), old, rotation.Retirement{Age: new(time.Duration), Within: 20 * time.Second, Told: nobody}))
	close(load)
	working.Wait()
	require.Equal(t, []string{fresh}, rings[0].Keys.KeyIDs())

	alone := s.ring(rotation.Secrets)
	require.Equal(t, []string{fresh}, alone.Keys.KeyIDs())
	for _, d := range drawers {
		var sealed []byte
		require.NoError(t, s.db.Pool.QueryRow(t.Context(), shelves[d.shelf].read, d.row).Scan(&sealed))
		n, err := d.open(alone.Keys, sealed)
		require.NoError(t, err)
		require.Equal(t, d.written.Load(), n, "the last write is there")
	}
	require.Subset(t, s.events(), everyKind)
	t.Logf("%d values: promoted in %v; %d left after the kill, sealed anew in %v beside %d reads and %d writes",
		len(drawers), promoted, left, rewrapped, reads.Load(), writes.Load())
}
