package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"
)

// tap stands before the API and keeps every answer, streams included, under its method and path.
type tap struct {
	*httptest.Server

	mu      sync.Mutex
	answers map[string]*bytes.Buffer
}

func newTap(t *testing.T, api string) *tap {
	t.Helper()
	target, err := url.Parse(api)
	require.NoError(t, err)
	p := &tap{answers: map[string]*bytes.Buffer{}}
	p.Server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = target.Host },
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		ModifyResponse: func(res *http.Response) error {
			place := "answer " + res.Request.Method + " " + res.Request.URL.Path
			var head bytes.Buffer
			if err := res.Header.Write(&head); err != nil {
				return err
			}
			p.keep(place, head.Bytes())
			res.Body = &tapped{ReadCloser: res.Body, keep: func(b []byte) { p.keep(place, b) }}
			return nil
		},
	})
	t.Cleanup(func() {
		p.CloseClientConnections()
		p.Close()
	})
	return p
}

func (p *tap) keep(place string, b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answers[place] == nil {
		p.answers[place] = &bytes.Buffer{}
	}
	p.answers[place].Write(b)
}

type tapped struct {
	io.ReadCloser
	keep func([]byte)
}

func (t *tapped) Read(b []byte) (int, error) {
	n, err := t.ReadCloser.Read(b)
	t.keep(b[:n])
	return n, err
}

func (h *hunt) lookInAnswers(p *tap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for place, answer := range p.answers {
		h.look(place, answer.Bytes())
	}
}

// lookInDatabases copies every table of every database out as the superuser: those of ours in PostgreSQL's
// binary form, in which bytes are themselves.
func (h *hunt) lookInDatabases(t *testing.T, s *stack) {
	t.Helper()
	password, err := os.ReadFile(filepath.Join(s.dir, "postgres", "password"))
	require.NoError(t, err)
	p, err := s.part("postgres")
	require.NoError(t, err)
	connect := func(database string) *pgx.Conn {
		u := url.URL{Scheme: "postgres", User: url.UserPassword("steward_admin", strings.TrimSpace(string(password))), Host: p.Address, Path: "/" + database}
		conn, err := pgx.Connect(t.Context(), u.String())
		require.NoError(t, err)
		return conn
	}
	admin := connect("postgres")
	databases := column(t, admin, "SELECT datname FROM pg_database WHERE datallowconn")
	require.NoError(t, admin.Close(t.Context()))
	require.Subset(t, databases, []string{"steward", "temporal", "temporal_visibility"})
	for _, database := range databases {
		conn := connect(database)
		tables := column(t, conn, `SELECT quote_ident(nspname) || '.' || quote_ident(relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
			WHERE relkind IN ('r', 'm', 'p')`)
		for _, table := range tables {
			form := " TO STDOUT (FORMAT binary)"
			if strings.HasPrefix(table, "pg_catalog.") || strings.HasPrefix(table, "information_schema.") {
				form = " TO STDOUT" // some of their types have no binary form
			}
			var out bytes.Buffer
			_, err := conn.PgConn().CopyTo(t.Context(), &out, "COPY (SELECT * FROM "+table+")"+form)
			require.NoError(t, err, table)
			h.look("database "+database+", table "+table, out.Bytes())
		}
		require.NoError(t, conn.Close(t.Context()))
	}
}

func column(t *testing.T, conn *pgx.Conn, query string) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), query)
	require.NoError(t, err)
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return values
}

// lookInTemporal reads all that Temporal tells about every workflow, payloads as they are stored.
func (h *hunt) lookInTemporal(t *testing.T, s *stack, workflows []string) {
	t.Helper()
	c := s.temporal(t)
	raw := func(place string, m proto.Message) {
		doc, err := proto.Marshal(m)
		require.NoError(t, err)
		h.look(place, doc)
	}
	list, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: client.DefaultNamespace})
	require.NoError(t, err)
	raw("Temporal's list", list)
	for _, id := range workflows {
		for _, e := range events(t, c, id, "") {
			raw("history of "+id+", "+e.GetEventType().String(), e)
		}
		d, err := c.DescribeWorkflowExecution(t.Context(), id, "")
		require.NoError(t, err)
		raw("Temporal's description of "+id, d)
	}
}

// lookInDebug asks for everything that the debug listeners tell.
func (h *hunt) lookInDebug(t *testing.T, s *stack) {
	t.Helper()
	for _, name := range []string{"api", "worker"} {
		p, err := s.part(name)
		require.NoError(t, err)
		require.NotEmpty(t, p.Debug)
		debug := &stack{url: "http://" + p.Debug}
		for _, what := range []string{
			"/metrics", "/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1",
			"/debug/pprof/allocs?debug=1", "/debug/pprof/threadcreate?debug=1", "/debug/vars",
		} {
			a := debug.call(t.Context(), "GET", what, "", nil)
			require.NotZero(t, a.status, what)
			h.look(name+what, a.body)
		}
	}
}

func (h *hunt) lookInLogs(t *testing.T, s *stack) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "logs", "*"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 4)
	for _, file := range files {
		doc, err := os.ReadFile(file)
		require.NoError(t, err)
		h.look("log "+filepath.Base(file), doc)
	}
	h.look("terminal of steward dev", s.log.Bytes())
}

// watch looks at the command lines of all processes of the stack, and at the environment of MCP servers,
// until ctx ends. Processes come and go, so it looks often.
func (h *hunt) watch(ctx context.Context, t *testing.T, s *stack) {
	seen := map[string]bool{}
	for ctx.Err() == nil {
		worker, err := s.pid("worker")
		if err != nil {
			worker = -1
		}
		for _, p := range descendants(t, s.cmd.Process.Pid) {
			dir := filepath.Join("/proc", strconv.Itoa(p.pid))
			if line, err := os.ReadFile(filepath.Join(dir, "cmdline")); err == nil && !seen[string(line)] {
				seen[string(line)] = true
				h.look(fmt.Sprintf("command line of process %d", p.pid), line)
			}
			if p.parent != worker {
				continue
			}
			if env, err := os.ReadFile(filepath.Join(dir, "environ")); err == nil && !seen[string(env)] {
				seen[string(env)] = true
				place := "environment of a sandbox server"
				if bytes.Contains(env, []byte(leakInResult)) {
					place = "environment of the leaking server"
				}
				h.look(place, env)
			}
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// descendants are the processes below root.
func descendants(t *testing.T, root int) (below []child) {
	t.Helper()
	all, known := processes(t), []int{root}
	for grew := true; grew; {
		grew = false
		for _, p := range all {
			if slices.Contains(known, p.parent) && !slices.Contains(known, p.pid) {
				known, below, grew = append(known, p.pid), append(below, p), true
			}
		}
	}
	return below
}

// model is the offline model behind a key, which it repeats in a refusal as a careless provider does. What
// it was asked is kept: no server's secret may reach it.
func (h *hunt) model(t *testing.T, inner http.Handler, key string) (address string) {
	t.Helper()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		h.look("request to the model", body)
		if r.Header.Get("Authorization") != "Bearer "+key || bytes.Contains(body, []byte("refuse my key")) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: %[1]s","type":"invalid_request_error","code":%[1]q,"param":%[1]q}}`, key)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		inner.ServeHTTP(w, r)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a moment
	require.NoError(t, err)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + l.Addr().String() + "/v1"
}
