package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/offline"
	"steward/internal/registry"
	"steward/internal/secret"
)

// TestSecretsStayWhereTheyBelong plants secrets wherever one may lie, runs automations over all of them, with
// failures, approvals and the death of a worker, and then looks for them everywhere (security.md T-32, T-33).
//
// What an owner wrote or was asked about is shown to that owner: the instructions and, while a call waits,
// its arguments. The model is shown the instructions, its own arguments and mails. Nobody else, nowhere.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	leaks := map[string]string{}
	var all []canary
	for _, variable := range []string{leakInResult, leakInError, leakInFault, leakInStderr, leakInDescription} {
		c := planted(variable)
		c.belongs = []string{"environment of the leaking server"}
		leaks[variable] = c.value
		all = append(all, c)
	}
	modelKey, header, bearer, apiKey := planted("model key"), planted("header"), planted("wrong bearer"), planted("wrong api key")
	typed, told, mailed := planted("password argument"), planted("instructions"), planted("mail")
	typed.belongs, mailed.belongs = []string{"request to the model"}, []string{"request to the model"}
	told.belongs = []string{"request to the model"}

	inner, err := offline.New(offline.Options{})
	require.NoError(t, err)
	early := newHunt(append(slices.Clone(all), modelKey, header, bearer, apiKey)...) // what the model may not see
	s := own(t, "OPENAI_API_KEY="+modelKey.value, "OPENAI_BASE_URL="+early.model(t, inner.Handler(), modelKey.value), "STEWARD_MODEL="+offline.Model)
	tap := newTap(t, s.url)
	tapped := *s
	tapped.url = tap.URL
	u := tapped.as(t, "alice")

	s.addServer(t, 401, "leaking", leaks)
	remote := echoing(t, "X-Api-Token", header.value)
	for id, path := range map[int64]string{402: "", 403: "/locked"} {
		s.register(t, registry.Server{
			ID: id, Name: "remote" + strings.TrimPrefix(path, "/"), Transport: "http", URL: remote + path, Trusted: true,
			Headers: map[string]secret.String{"X-Api-Token": secret.New(header.value)},
		})
	}
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "mailbox", "canary.eml"), fmt.Appendf(nil,
		"From: harbour@example.com\r\nTo: me@sandbox.invalid\r\nSubject: Lighthouse\r\nDate: %s\r\nMessage-ID: <canary@example.com>\r\n"+
			"Content-Type: text/plain; charset=utf-8\r\n\r\nThe password of the lighthouse is %s for now.\r\n", time.Now().Format(time.RFC1123Z), mailed.value), 0o600))

	stacks := stackSecrets(t, s, u, tap)
	early.canaries, early.needles = append(early.canaries, stacks...), append(early.needles, newHunt(stacks...).needles...)

	ctx, stopWatching := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	h := newHunt(slices.Concat(all, stacks, []canary{modelKey, header, bearer, apiKey, typed, told, mailed})...)
	require.GreaterOrEqual(t, len(h.canaries), 20)
	watching.Go(func() { h.watch(ctx, t, s) })

	runs := u.sing(typed.value, told.value)
	for i := range h.canaries {
		switch c := &h.canaries[i]; c.name {
		case typed.name, told.name, mailed.name: // its owner reads what he wrote, and the model's answer
			for _, id := range runs {
				place := "/automation/run/" + strconv.FormatInt(id, 10)
				c.belongs = append(c.belongs, "answer GET "+place, "answer POST "+place+"/cancel")
			}
		}
	}
	u.knock(bearer.value, apiKey.value, named(stacks, "API key").value)
	var workflows []string
	for _, id := range runs {
		workflows = append(workflows, u.workflow(id))
		u.get(id)
		require.Equal(t, 200, u.do("GET", path(id, "events"), nil).status)
	}
	for _, p := range []string{"/automation/runs", "/ready", "/health", "/openapi.json", "/docs"} {
		require.NotZero(t, u.do("GET", p, nil).status)
	}
	h.lookInDebug(t, s)
	h.lookInTemporal(t, s, workflows)
	h.lookInDatabases(t, s)
	stopWatching()
	watching.Wait()
	require.NoError(t, s.stop())
	h.lookInLogs(t, s)
	h.lookInAnswers(tap)
	for _, finding := range append(sorted(h.found), sorted(early.found)...) {
		t.Error(finding)
	}
	t.Logf("%d canaries, %d runs, looked at %d places, %.1f MB, and at %d requests to the model", len(h.canaries), len(runs), h.places, float64(h.bytes)/1e6, early.places)
}

func sorted(found map[string]bool) (list []string) {
	for finding := range found {
		list = append(list, finding)
	}
	slices.Sort(list)
	return list
}

func named(all []canary, name string) canary {
	i := slices.IndexFunc(all, func(c canary) bool { return c.name == name })
	return all[i]
}

// stackSecrets are those of the stack itself, and those of a person who uses it.
func stackSecrets(t *testing.T, s *stack, u *user, tap *tap) (all []canary) {
	t.Helper()
	add := func(name, value string, belongs ...string) {
		require.GreaterOrEqual(t, len(value), 16, name)
		all = append(all, canary{name: name, value: value, belongs: belongs})
	}
	for name, value := range s.keys(t) {
		add(name, value)
	}
	for _, file := range []string{"database.url", "migrate-database.url"} {
		address, err := url.Parse(s.databaseURL(t, file))
		require.NoError(t, err)
		password, _ := address.User.Password()
		add("password in "+file, password)
	}
	admin, err := os.ReadFile(filepath.Join(s.dir, "postgres", "password"))
	require.NoError(t, err)
	add("superuser's password", strings.TrimSpace(string(admin)))
	temporal, err := s.pid("temporal")
	require.NoError(t, err)
	env, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(temporal), "environ"))
	require.NoError(t, err)
	for _, pair := range strings.Split(string(env), "\x00") {
		if value, ok := strings.CutPrefix(pair, "STEWARD_TEMPORAL_DATABASE_URL="); ok {
			address, err := url.Parse(value)
			require.NoError(t, err)
			password, _ := address.User.Password()
			add("Temporal's database password", password)
		}
	}
	add("API key", strings.TrimSpace(s.steward(t, "apikey", "create", "--name", "backend", "--tenant", "alice")))
	add("JWT", u.token)
	link, err := url.Parse(strings.TrimSpace(s.steward(t, "codec", "ticket")))
	require.NoError(t, err)
	add("codec ticket", link.Query().Get("ticket"))
	add("codec session", openCodec(t, tap, link), "answer GET /codec/open")
	return all
}

// openCodec spends the ticket and returns the cookie.
func openCodec(t *testing.T, tap *tap, link *url.URL) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tap.URL+link.RequestURI(), nil)
	require.NoError(t, err)
	stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := stay.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	require.Len(t, res.Cookies(), 1)
	return res.Cookies()[0].Value
}

// sing runs automations that touch every planted secret and returns their ids.
func (u *user) sing(typed, told string) (runs []int64) {
	u.t.Helper()
	end := func(state string, servers []string, instructions string) {
		runs = append(runs, u.ends(state, map[string]any{"servers": servers, "instructions": instructions}))
	}
	for _, leak := range []string{"leak_result", "leak_error", "leak_fault", "leak_stderr", "leak_description"} {
		end("success", []string{"leaking"}, simulate(1, leak, none{}))
	}
	end("success", []string{"leaking"}, simulate(1, "login", loginIn{"bob", typed}))
	end("success", []string{"remote"}, simulate(1, "echo_header", none{}))
	end("success", []string{"mailbox", "remotelocked"}, simulate(1, "search_emails", map[string]string{"query": "x"}))
	end("error", []string{"mailbox"}, "refuse my key")
	end("success", []string{"mailbox"}, "Find all emails about the lighthouse and summarise them")
	end("success", []string{"mailbox"}, simulate(1, "get_email", map[string]string{"id": "canary"}))

	letter := "The password is " + told + "\n" + simulate(1, "send_email", map[string]string{
		"to": "keeper@example.com", "subject": "Lighthouse", "body": "the password is " + told,
	})
	for _, verdict := range []string{"approve", "deny", "cancel"} {
		id := u.accept(map[string]any{"servers": []string{"mailbox"}, "instructions": letter})
		follow, stop := context.WithCancel(u.t.Context())
		var following sync.WaitGroup
		following.Go(func() { u.call(follow, "GET", path(id, "events"), u.token, nil) })
		u.until(id, time.Minute, inState("waiting_for_approval"))
		if verdict == "cancel" {
			require.Equal(u.t, 200, u.do("POST", path(id, "cancel"), nil).status)
		} else {
			u.decide(id, verdict)
		}
		if verdict == "approve" {
			u.kill(u.t, "worker")
		}
		u.until(id, 2*time.Minute, ended)
		stop()
		following.Wait()
		runs = append(runs, id)
	}
	return runs
}

// knock calls with credentials that are not good, and with those that are at the wrong door.
func (u *user) knock(bearer, apiKey, goodKey string) {
	u.t.Helper()
	for _, door := range []string{"/automation/runs", "/automation/run/1", "/automation/run/1/events", "/codec/decode", "/nowhere"} {
		for _, header := range []map[string]string{
			{"Authorization": "Bearer " + bearer},
			{"X-API-Key": apiKey},
			{"X-API-Key": goodKey + "x"},
			{"Authorization": "Basic " + bearer},
			{"Cookie": "steward_codec=" + bearer},
		} {
			a := u.send(u.t.Context(), "GET", door, header, nil)
			require.GreaterOrEqual(u.t, a.status, 400, door)
		}
	}
	require.Equal(u.t, 401, u.call(u.t.Context(), "GET", "/codec/open?ticket="+url.QueryEscape(bearer), "", nil).status)
	a := u.send(u.t.Context(), "GET", "/automation/runs?user_id=alice", map[string]string{"X-API-Key": goodKey}, nil)
	require.Equal(u.t, 200, a.status, "%s", a.body)
}
