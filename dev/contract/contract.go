// Package contract has third parties judge our HTTP API: Spectral reads the OpenAPI document, and Prism stands
// between a client and the server and turns every answer that breaks the document into a 500.
//
// Both are npm tools of dev/deps; `make deps` installs them.
package contract

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Document is the path of our OpenAPI document.
func Document(t testing.TB) string { return fromRoot(t, "api", "openapi.json") }

// tool is the path of an npm tool.
func tool(t testing.TB, name string) string {
	path := fromRoot(t, "dev", "deps", "node_modules", ".bin", name)
	require.FileExists(t, path, "run make deps")
	return path
}

func fromRoot(t testing.TB, elements ...string) string {
	module, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	require.NoError(t, err)
	root := filepath.Dir(string(bytes.TrimSpace(module)))
	return filepath.Join(append([]string{root}, elements...)...)
}

// listening precedes Prism's own address in its log.
const listening = "Prism is listening on "

// Prism starts a proxy in front of upstream and returns its address. It answers 500, with the place in
// violation, where upstream's answer is not what the document says, and 422 where the request is not. It
// holds an answer back until it is complete: event streams do not go through it. It ends with the test.
func Prism(t testing.TB, document, upstream string) string {
	t.Helper()
	prism := exec.CommandContext(t.Context(), tool(t, "prism"), "proxy", document, upstream, "--errors", "--port", "0") //nolint:gosec // G204: our own tool
	prism.WaitDelay = time.Second
	reader, writer := io.Pipe()
	prism.Stdout, prism.Stderr = writer, writer
	require.NoError(t, prism.Start())
	t.Cleanup(func() {
		_ = prism.Wait() // the test's context has ended it
		_ = writer.Close()
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case address := <-announced(reader):
		require.NotEmpty(t, address, "Prism ended without an address")
		return address
	case <-ctx.Done():
		require.NoError(t, ctx.Err(), "Prism does not start")
		return ""
	}
}

// announced sends the address that Prism logs, and goes on reading so that it never blocks.
func announced(log io.Reader) <-chan string {
	address := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(log)
		for lines.Scan() {
			if _, found, ok := strings.Cut(lines.Text(), listening); ok {
				address <- strings.TrimSpace(found)
				break
			}
		}
		close(address)
		_, _ = io.Copy(io.Discard, log)
	}()
	return address
}
