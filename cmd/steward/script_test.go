package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"steward/internal/config"
	"steward/internal/durable"
	"steward/internal/launch/process"
	"steward/internal/secret"
	"steward/internal/storetest"
)

func TestMain(m *testing.M) {
	process.Become()
	testscript.Main(m, map[string]func(){"steward": main})
}

// TestScripts runs each script with the program itself on a data folder and two databases of its own: one
// migrated, as the application's role, one empty, as its superuser. Temporal is away, the ports are free.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			application, superuser := storetest.URLs(t)
			name := filepath.Base(env.WorkDir)
			empty := "empty_" + strconv.FormatInt(time.Now().UnixNano(), 36)
			if err := storetest.Server(t).EnsureDatabase(t.Context(), empty, "steward_migrator"); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			api, err := freeAddress()
			if err != nil {
				return err
			}
			env.Setenv("STEWARD_DATA", filepath.Join(env.WorkDir, "data"))
			env.Setenv("STEWARD_LISTEN", api)
			env.Setenv("STEWARD_PUBLIC_URL", "http://"+api)
			env.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
			env.Setenv("MIGRATED", application.Reveal())
			env.Setenv("SUPERUSER", superuser.Reveal())
			env.Setenv("EMPTY", storetest.Server(t).AdminURL(empty).Reveal())
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "sql": sql, "await": await, "mode": mode, "seal": seal,
			"capture": capture, "keep": keep, "opens": opens, "holders": holders,
		},
	})
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a moment
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// exits CODE program args... demands an exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE program args...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, not %s", code, args[0])
	}
}

// sql STATEMENT changes the migrated database as its superuser, behind the product's back.
func sql(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, ts.Getenv("SUPERUSER"))
	ts.Check(err)
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, strings.Join(args, " "))
	ts.Check(err)
}

// await URL waits until it answers with success.
func await(ts *testscript.TestScript, _ bool, args []string) {
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for began := time.Now(); time.Since(began) < 20*time.Second; <-poll.C {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, args[0], nil)
		ts.Check(err)
		if res, err := http.DefaultClient.Do(req); err == nil {
			ts.Check(res.Body.Close())
			if res.StatusCode == http.StatusOK {
				return
			}
		}
	}
	ts.Fatalf("%s does not answer", args[0])
}

// mode MODE file demands permissions.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, not %s", args[1], got, args[0])
	}
}

// seal FILE TEXT writes a payload as Temporal's tools print it, sealed with the keys of the data folder.
func seal(ts *testscript.TestScript, _ bool, args []string) {
	cfg, err := config.Load(func(name string) (string, bool) { v := ts.Getenv(name); return v, v != "" })
	ts.Check(err)
	ring, err := secret.NewRing(cfg.Keys.Codec)
	ts.Check(err)
	sealed, err := durable.Codec(ring).Encode([]*commonpb.Payload{{
		Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(args[1]),
	}})
	ts.Check(err)
	doc, err := protojson.Marshal(&commonpb.Payloads{Payloads: sealed})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), doc, 0o600))
}

func TestOpenAPIAsYAMLKeepsTheOrder(t *testing.T) {
	t.Parallel()
	out, err := toYAML([]byte(`{"z":1,"a":{"text":"true","list":[1,"2"]},"empty":{}}`))
	require.NoError(t, err)
	require.Equal(t, "z: 1\na:\n  text: \"true\"\n  list:\n    - 1\n    - \"2\"\nempty: {}\n", string(out))
}

func FuzzReadPayloads(f *testing.F) {
	f.Add(`{"payloads":[{"data":"` + base64.StdEncoding.EncodeToString([]byte("{}")) + `"}]}`)
	f.Add(`{"metadata":{},"data":""}`)
	f.Add(`[1,2`)
	f.Fuzz(func(t *testing.T, in string) {
		payloads, err := readPayloads(strings.NewReader(in))
		require.True(t, err == nil || len(payloads) == 0)
	})
}
