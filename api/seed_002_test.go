package api_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/dev/counterpart"
	"steward/dev/counterpart/google"
	"steward/internal/auth/authtest"
	"steward/internal/config"
	"steward/internal/connector"
	"steward/internal/connector/gmail"
	"steward/internal/connector/postgres"
	"steward/internal/oauth"
	"steward/internal/secret"
	"steward/internal/storetest"
	"steward/internal/tool"
)

// example is a request of a seed and what it is answered there.
type example struct {
	Heading string          `json:"heading"`
	Method  string          `json:"method"`
	Path    string          `json:"path"`
	Body    json.RawMessage `json:"body"`
	Status  int             `json:"status"`
	Answer  any             `json:"answer"`
}

// Every request of seed 002, as it stands there and in its order, against a real PostgreSQL over TLS and a stand-in for
// Google.
func TestSeed002(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("testdata/seeds/002_7d42fec200e94209.json")
	require.NoError(t, err)
	var examples []example
	require.NoError(t, json.Unmarshal(doc, &examples))

	mails := google.Start(t, google.Options{Redirects: []string{publicURL + "/auth/google/callback"}})
	r := analyst(t, mails)
	key := r.apiKey("user_123", "default")
	database := "db_abc123" // the seed's
	for _, e := range examples {
		c := call{method: e.Method, path: e.Path, body: strings.ReplaceAll(string(e.Body), "db_abc123", database), key: key}
		w := r.do(c)
		require.Equal(t, e.Status, w.Code, "%s: %s %s: %s", e.Heading, e.Method, e.Path, w.Body)
		require.NotContains(t, w.Body.String(), "secret123", e.Heading)
		var got any
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
		switch e.Path {
		case "/api/integrations/connect":
			r.agree(got.(map[string]any)["auth_url"].(string))
		case "/api/databases/connect":
			database = got.(map[string]any)["db_id"].(string)
		}
		if e.Answer != nil {
			renamed := bytes.ReplaceAll(w.Body.Bytes(), []byte(database), []byte("db_abc123"))
			require.NoError(t, json.Unmarshal(renamed, &got))
			promised(t, e.Heading, e.Answer, got)
		}
	}
	require.Len(t, mails.Sent(t, google.Alice), 1)
	require.NotContains(t, r.logs.String(), "secret123")
}

// free are members whose values a seed can only give as an example.
var free = map[string]bool{"auth_url": true, "messageId": true}

// promised says that got has everything that want has: values as they are, elements of lists in their order.
func promised(t *testing.T, where string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		require.True(t, ok, where)
		for name, value := range want {
			require.Contains(t, object, name, where)
			switch {
			case free[name]:
				require.IsType(t, value, object[name], "%s.%s", where, name)
			case name == "description": // the seed's words, or more of them
				require.NotEmpty(t, object[name], where)
			default:
				promised(t, where+"."+name, value, object[name])
			}
		}
	case []any:
		list, ok := got.([]any)
		require.True(t, ok, where)
		for _, value := range want {
			list = after(t, where, value, list)
		}
	default:
		text, ok := want.(string)
		if ok && strings.Contains(where, ".parameters.") { // what a parameter is may be said in more words
			require.True(t, strings.HasPrefix(got.(string), strings.TrimSuffix(text, ")")), "%s: %v", where, got)
			return
		}
		require.Equal(t, want, got, where)
	}
}

// after finds the element that a seed's stands for, by its name where it has one, and returns those behind it.
func after(t *testing.T, where string, want any, list []any) []any {
	t.Helper()
	wanted, _ := want.(map[string]any)
	for i, value := range list {
		object, _ := value.(map[string]any)
		if wanted["name"] == nil || object["name"] == wanted["name"] {
			promised(t, where, want, value)
			return list[i+1:]
		}
	}
	require.Fail(t, "not in the list, or not in its order", "%s: %v", where, want)
	return nil
}

// analyst is the edge as seed 002 assumes it: with Gmail, and PostgreSQL at analytics.db.example.com.
func analyst(t *testing.T, mails *google.Server) *rig {
	t.Helper()
	place := campaigns(t)
	return newRig(t, func(d *api.Deps) {
		var err error
		d.Consent, err = oauth.New(d.DB, d.Ring, d.Log, oauth.Options{
			Providers: []oauth.Provider{oauth.Google(config.Google{
				ClientID: google.ClientID, ClientSecret: secret.New(google.ClientSecret), Discovery: mails.URL, APIURL: mails.URL,
			})},
			PublicURL: publicURL, LinkKey: authtest.Key(t), Origins: []string{"https://app.openanalyst.com"}, Transport: http.DefaultTransport,
		})
		require.NoError(t, err)
		d.Connections, err = connector.NewConnections(connector.Options{
			Credentials: d.Consent, DB: d.DB, Ring: d.Ring, Log: d.Log,
			Dial: func(string) connector.Dial {
				return func(ctx context.Context, network, address string) (net.Conn, error) {
					if address == "analytics.db.example.com:5432" {
						address = place
					}
					return new(net.Dialer).DialContext(ctx, network, address)
				}
			},
		}, gmail.New(), postgres.New())
		require.NoError(t, err)
		t.Cleanup(d.Connections.Close)
		d.Executor, err = tool.NewExecutor(d.DB, d.Ring, d.Registry, d.Connections, d.Log, tool.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, d.Executor.Close(context.WithoutCancel(t.Context()))) })
	})
}

// agree is the user who opens the link and consents to everything.
func (r *rig) agree(link string) {
	r.t.Helper()
	require.True(r.t, strings.HasPrefix(link, publicURL), link)
	begun := r.do(call{path: strings.TrimPrefix(link, publicURL)})
	require.Equal(r.t, http.StatusFound, begun.Code, begun.Body)
	back := google.NewBrowser().Callback(r.t, begun.Header().Get("Location"), google.Alice)
	cookie, _, _ := strings.Cut(begun.Header().Get("Set-Cookie"), ";")
	landed := r.do(call{path: back.Path + "?" + back.RawQuery, header: map[string]string{"Cookie": cookie}})
	require.Equal(r.t, http.StatusFound, landed.Code, landed.Body)
	target, err := url.Parse(landed.Header().Get("Location"))
	require.NoError(r.t, err)
	require.Equal(r.t, "app.openanalyst.com", target.Host)
	require.Equal(r.t, url.Values{"callback": {"true"}, "status": {"success"}, "appName": {"gmail"}}, target.Query())
}

// campaigns is the seed's database: a role that may read it, and where to reach it over TLS.
func campaigns(t *testing.T) string {
	t.Helper()
	_, superuser := storetest.URLs(t)
	conn, err := pgx.Connect(t.Context(), superuser.Reveal())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	for _, statement := range []string{
		"CREATE ROLE db_user LOGIN PASSWORD 'secret123'",
		"CREATE DATABASE campaigns",
	} {
		_, err := conn.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		conn, err := pgx.Connect(ctx, superuser.Reveal())
		require.NoError(t, err)
		for _, statement := range []string{"DROP DATABASE campaigns WITH (FORCE)", "DROP ROLE db_user"} {
			_, err := conn.Exec(ctx, statement)
			require.NoError(t, err, statement)
		}
		require.NoError(t, conn.Close(ctx))
	})
	own := conn.Config().Copy()
	own.Database = "campaigns"
	inside, err := pgx.ConnectConfig(t.Context(), own)
	require.NoError(t, err)
	defer func() { require.NoError(t, inside.Close(context.WithoutCancel(t.Context()))) }()
	for _, statement := range []string{
		"CREATE TABLE campaigns (campaign_name text, spend integer, clicks integer, date date)",
		"INSERT INTO campaigns VALUES ('Black Friday', 5000, 15000, CURRENT_DATE), ('Holiday Sale', 3000, 8000, CURRENT_DATE - 1), ('Summer', 1, 1, CURRENT_DATE - 90)",
		"GRANT SELECT ON campaigns TO db_user",
	} {
		_, err := inside.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	return overTLS(t, net.JoinHostPort(own.Host, strconv.Itoa(int(own.Port))))
}

// overTLS puts TLS before a PostgreSQL that has none, and returns where. Who does not ask for it gets through as well.
func overTLS(t *testing.T, address string) string {
	t.Helper()
	certificate, key, err := counterpart.Certify("127.0.0.1")
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(certificate, key)
	require.NoError(t, err)
	shown := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	front, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	t.Cleanup(func() {
		require.NoError(t, front.Close())
		serving.Wait()
	})
	serving.Go(func() {
		for {
			in, err := front.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { pass(in, address, shown) })
		}
	})
	return front.Addr().String()
}

// pass carries one connection, taking its TLS off (PostgreSQL documentation §54.2.11, SSLRequest).
func pass(in net.Conn, address string, shown *tls.Config) {
	defer func() { _ = in.Close() }()
	asked := []byte{0, 0, 0, 8, 4, 210, 22, 47}
	first := make([]byte, len(asked))
	if _, err := io.ReadFull(in, first); err != nil {
		return
	}
	client, pending := in, first
	if bytes.Equal(first, asked) {
		if _, err := in.Write([]byte("S")); err != nil {
			return
		}
		client, pending = tls.Server(in, shown), nil
	}
	out, err := new(net.Dialer).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	if _, err := out.Write(pending); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(out, client)
		_ = out.Close()
	}()
	_, _ = io.Copy(client, out)
}
