// Command client puts our MCP client, internal/mcpclient with internal/oauth/remote beside it, before the official
// conformance suite: it uses the server at the URL that the suite appends to its arguments as a run would, and
// takes no notice of what is being looked at.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"time"

	"steward/internal/mcpclient"
)

// assignment is what the suite tells its client.
type assignment struct {
	url      string
	scenario string
	revision string
	// beside is MCP_CONFORMANCE_CONTEXT: what a person would have set up.
	beside struct {
		ToolCalls []struct {
			Name      string          `json:"name"`
			Arguments json.RawMessage `json:"arguments"`
		} `json:"toolCalls"`
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		PrivateKey   string `json:"private_key_pem"`
		Workload     string `json:"valid_jwt"`
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, os.Args[1:], os.Getenv, log); err != nil {
		log.ErrorContext(ctx, "the server could not be used", "error", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, env func(string) string, log *slog.Logger) error {
	if len(args) != 1 {
		return fmt.Errorf("one URL is expected, not %d arguments", len(args))
	}
	a := assignment{url: args[0], scenario: env("MCP_CONFORMANCE_SCENARIO"), revision: env("MCP_CONFORMANCE_PROTOCOL_VERSION")}
	if beside := env("MCP_CONFORMANCE_CONTEXT"); beside != "" {
		if err := json.Unmarshal([]byte(beside), &a.beside); err != nil {
			return fmt.Errorf("reading what was set up: %w", err)
		}
	}
	pool, err := mcpclient.New(mcpclient.Options{Log: log})
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := pool.Close(closing); err != nil {
			log.WarnContext(ctx, "sessions left", "error", err)
		}
	}()
	client := &http.Client{Transport: &http.Transport{}}
	access, err := newAccess(client, a)
	if err != nil {
		return err
	}
	u := &user{pool: pool, access: access, target: mcpclient.Target{
		Key: mcpclient.Key{Owner: "conformance", Server: 1, Version: 1}, Name: "suite", Era: era(a.revision),
		HTTP: &mcpclient.HTTP{URL: a.url, Client: client},
	}}
	return u.work(ctx, a)
}

// era is what the registry would have stored about the server.
func era(revision string) mcpclient.Era {
	if revision < "2026-07-28" {
		return mcpclient.EraLegacy
	}
	return mcpclient.EraModern
}
