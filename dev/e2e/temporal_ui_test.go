package e2e_test

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestTemporalWebUIReadsPayloads opens the link that people get: with its ticket a browser reads summaries
// and payloads in the Temporal Web UI, without it they stay sealed.
func TestTemporalWebUIReadsPayloads(t *testing.T) {
	t.Parallel()
	s := running(t)
	u := s.as(t, "viewer")
	id := u.ends("success", map[string]any{"mcp_server_id": 1, "instructions": simulate(2, "search_emails", map[string]any{"query": "a{{step}}"})})
	page := s.ui + "/namespaces/default/workflows/" + url.PathEscape(u.workflow(id))

	sealed := browser(t)
	text := sealed.reads(page, "sealed.png", "CallTool", "Z0FBQUFB") // a Fernet token, in base64 once more
	require.NotContains(t, text, "search_emails")
	require.NotContains(t, text, "success")

	opened := browser(t)
	opened.visit(strings.TrimSpace(s.steward(t, "codec", "ticket", "--user", "viewer")))
	opened.reads(page, "opened.png",
		"step 1: ask the model", "step 1: mailbox/search_emails", "step 2: mailbox/search_emails", "step 3: ask the model",
		`"run_id"`, `"success"`)
}

// window is a browser with cookies of its own.
type window struct {
	t   *testing.T
	ctx context.Context
}

func browser(t *testing.T) *window {
	t.Helper()
	path, err := exec.LookPath("chromium")
	require.NoError(t, err, "this test looks at a page in Chromium: apt-get install -y chromium")
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1400, 1600),
		chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-background-networking", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), flags...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return &window{t, ctx}
}

func (w *window) visit(address string) {
	w.t.Helper()
	_, err := chromedp.Run(w.ctx, chromedp.Navigate(address))
	require.NoError(w.t, err)
}

// reads opens a page, waits until it shows all of these texts and returns what it shows; a picture is kept.
func (w *window) reads(address, picture string, awaited ...string) (text string) {
	w.t.Helper()
	w.visit(address)
	missing := func(a string) bool { return !strings.Contains(text, a) }
	for deadline := time.Now().Add(time.Minute); slices.ContainsFunc(awaited, missing); pause(w.ctx, 100*time.Millisecond) {
		require.True(w.t, time.Now().Before(deadline), "%q are not all on %s:\n%s", awaited, address, text)
		var err error
		text, err = chromedp.Run(w.ctx, chromedp.Evaluate[string](`document.body.innerText`))
		require.NoError(w.t, err)
	}
	png, err := chromedp.Run(w.ctx, chromedp.FullScreenshot(100))
	require.NoError(w.t, err)
	file := filepath.Join(w.t.ArtifactDir(), picture)
	require.NoError(w.t, os.WriteFile(file, png, 0o600))
	w.t.Logf("%s: %s", address, file)
	return text
}
