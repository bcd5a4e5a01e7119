package mongodb_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"steward/dev/counterpart/ferretdb"
	"steward/internal/connector"
	"steward/internal/connector/mongodb"
)

// launched is FerretDB, one for all tests that need it: each has a database of its own.
var launched = sync.OnceValues(func() (*ferretdb.Server, error) { return ferretdb.Launch(context.Background()) })

var used atomic.Bool

func server(t testing.TB) *ferretdb.Server {
	t.Helper()
	used.Store(true)
	s, err := launched()
	require.NoError(t, err)
	return s
}

func TestMain(m *testing.M) {
	code := m.Run()
	if used.Load() {
		if s, err := launched(); err == nil {
			if err := s.Stop(context.Background()); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// site is one database, with a link to it that a form has made.
type site struct {
	link connector.Link
	db   *mongo.Database // around the connector
}

func newSite(t testing.TB, documents ...any) *site {
	t.Helper()
	name := "t_" + strings.ToLower(rand.Text()[:12])
	s := &site{link: open(t, map[string]any{"connection_string": server(t).URI(name), "allow_writes": true}, direct), db: bare(t, name)}
	if len(documents) > 0 {
		_, err := s.db.Collection("campaigns").InsertMany(t.Context(), documents)
		require.NoError(t, err)
	}
	return s
}

func bare(t testing.TB, name string) *mongo.Database {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(server(t).URI(name)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Disconnect(context.WithoutCancel(t.Context()))) })
	return client.Database(name)
}

// open fills in the form.
func open(t testing.TB, values map[string]any, dial connector.Dial) connector.Link {
	t.Helper()
	form := mongodb.New().Form
	settings, err := form.Read(values)
	require.NoError(t, err)
	_, err = form.Place(settings)
	require.NoError(t, err)
	link, err := form.Open(settings, dial)
	require.NoError(t, err)
	t.Cleanup(link.Close)
	return link
}

func direct(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

func tool(t testing.TB, name string) connector.Tool {
	t.Helper()
	found, ok := mongodb.New().Find(name)
	require.True(t, ok)
	return found
}

// read calls a tool that needs no receipt.
func (s *site) read(t testing.TB, name, arguments string) (map[string]any, error) {
	t.Helper()
	result, err := tool(t, name).Call(t.Context(), &connector.Session{Link: s.link}, connector.Call{ID: "call_r", Arguments: json.RawMessage(arguments)})
	if err != nil {
		return nil, err
	}
	var out map[string]any
	require.NoError(t, json.Unmarshal(result.Structured, &out))
	return out, nil
}

func (s *site) mustRead(t testing.TB, name, arguments string) map[string]any {
	t.Helper()
	out, err := s.read(t, name, arguments)
	require.NoError(t, err)
	return out
}

// ledger keeps the receipts of one call, as the executor does.
type ledger struct {
	mu       sync.Mutex
	id       string
	receipts []string
	fenced   int // notes that are taken before another attempt has the call; -1: all
}

func newLedger() *ledger { return &ledger{id: "call_" + rand.Text(), fenced: -1} }

func (l *ledger) call(arguments string) connector.Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := connector.Call{ID: l.id, Arguments: json.RawMessage(arguments), Note: l.note}
	if len(l.receipts) > 0 {
		c.Receipt = l.receipts[len(l.receipts)-1]
	}
	return c
}

func (l *ledger) note(_ context.Context, receipt string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fenced == len(l.receipts) {
		return fmt.Errorf("another attempt has the call")
	}
	l.receipts = append(l.receipts, receipt)
	return nil
}

func refusal(t testing.TB, err error) *connector.Error {
	t.Helper()
	e := &connector.Error{}
	require.ErrorAs(t, err, &e)
	return e
}
