package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"steward/internal/app"
	"steward/internal/auth"
	"steward/internal/secret"
)

// caller sends requests as several users.
type caller struct {
	url    string
	body   []byte
	tokens []secret.String
	client *http.Client
}

// newCaller makes tokens and waits until the API answers.
func newCaller(ctx context.Context, s *site) (*caller, error) {
	body, err := json.Marshal(map[string]any{"mcp_server_id": filesID, "instructions": instructions})
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	c := &caller{
		url: s.cfg.HTTP.PublicURL, body: body,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: burstRate}, Timeout: 30 * time.Second},
	}
	tokens, err := app.Tokens(s.cfg)
	if err != nil {
		return nil, err
	}
	for i := range burstUsers {
		token, err := tokens.Issue(auth.Grant{Subject: fmt.Sprintf("user-%d", i), Role: auth.User})
		if err != nil {
			return nil, err
		}
		c.tokens = append(c.tokens, token)
	}
	return c, c.await(ctx)
}

// await polls until the API answers.
func (c *caller) await(ctx context.Context) error {
	return awaited(ctx, func() error { return c.send(ctx, http.MethodGet, "/health", nil, 0, http.StatusOK) })
}

// awaited tries for 10 seconds until what was started answers.
func awaited(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *caller) post(ctx context.Context, i int) error {
	return c.send(ctx, http.MethodPost, "/automation/run", bytes.NewReader(c.body), i, http.StatusAccepted)
}

func (c *caller) send(ctx context.Context, method, path string, body io.Reader, i, want int) error {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.tokens[i%len(c.tokens)].Reveal())
	req.Header.Set("Content-Type", "application/json")
	res, err := c.client.Do(req)
	if err != nil {
		return fmt.Errorf("send request: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if res.StatusCode != want {
		return fmt.Errorf("%s %s answered %d", method, path, res.StatusCode)
	}
	return nil
}
