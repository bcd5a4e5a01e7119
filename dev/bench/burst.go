package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"steward/internal/app"
	"steward/internal/auth"
	"steward/internal/secret"
)

const (
	burstRate   = 200 // a second, of requests and of INSERTs
	burstLength = 4 * time.Second
	burstUsers  = 20
	burstWarm   = 40
)

// benchBurst measures how long accepting a run takes while runs come faster than they can be carried out:
// HTTP over loopback through the whole handler chain, beside bare INSERTs at the same rate from the same
// process. The worker and Temporal work on what was accepted meanwhile.
func benchBurst(ctx context.Context, s *site, r *report) error {
	var idle sample
	for range burstWarm {
		if err := idle.timed(func() error { return s.insertBare(ctx) }); err != nil {
			return err
		}
	}
	stop := s.serveAPI(ctx)
	c, err := newCaller(ctx, s)
	if err == nil {
		var line latency
		line, err = burst(ctx, s, c)
		if err == nil {
			err = r.latencies(fmt.Sprintf("202 of POST /automation/run at %d/s with worker and Temporal at work / INSERT at the same rate beside it", burstRate),
				line, latency{"the same / INSERT on the idle machine", line.ours, idle})
		}
	}
	return errors.Join(err, stop())
}

// burst sends a request and, half a period later, an INSERT, again and again, waiting for none.
func burst(ctx context.Context, s *site, c *caller) (latency, error) {
	line := latency{name: fmt.Sprintf("burst of %v", burstLength)}
	var (
		mu     sync.Mutex
		group  sync.WaitGroup
		failed error
	)
	send := func(to *sample, op func() error) {
		group.Go(func() {
			began := time.Now()
			err := op()
			took := time.Since(began)
			mu.Lock()
			defer mu.Unlock()
			*to = append(*to, took)
			failed = errors.Join(failed, err)
		})
	}
	tick := time.NewTicker(time.Second / (2 * burstRate))
	defer tick.Stop()
	for i := range 2 * int(burstLength.Seconds()*burstRate) {
		select {
		case <-ctx.Done():
			return line, ctx.Err()
		case <-tick.C:
		}
		if i%2 == 0 {
			send(&line.ours, func() error { return c.post(ctx, i/2) })
		} else {
			send(&line.bare, func() error { return s.insertBare(ctx) })
		}
	}
	group.Wait()
	return line, failed
}

func (s *site) insertBare(ctx context.Context) error {
	_, err := s.db.Pool.Exec(ctx, bareInsert, "run/1", "key", "kind", owner, auditBody)
	return err
}

// serveAPI runs the product's API in this process until the returned function is called.
func (s *site) serveAPI(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- app.API(ctx, s.cfg, s.log) }()
	return func() error {
		cancel()
		return <-ended
	}
}

// caller sends requests as several users.
type caller struct {
	url    string
	body   []byte
	tokens []secret.String
	client *http.Client
}

// newCaller makes tokens, waits until the API answers, and warms it up.
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
	if err := c.await(ctx); err != nil {
		return nil, err
	}
	for i := range burstWarm {
		if err := c.post(ctx, i); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// await polls until the API answers.
func (c *caller) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		err := c.send(ctx, http.MethodGet, "/health", nil, 0, http.StatusOK)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API does not answer: %w", err)
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
