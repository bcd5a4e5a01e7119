package api

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"

	"github.com/go-chi/chi/v5"
	"log/slog"
)

func TestTmpDocs(t *testing.T) {
	r := chi.NewMux()
	r.Use(trace(slog.New(slog.NewTextHandler(os.Stderr, nil))), secure)
	api := newHuma(r)
	(&resources{}).register(api)
	if err := docsPage(r); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.Handler(r))
	defer s.Close()
	cmd := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=8000", "--window-size=1200,1600", "--screenshot=/tmp/docs.png", s.URL+"/docs#/runs/startRun")
	out, err := cmd.CombinedOutput()
	t.Log(string(out), err)
}
