package oauth_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/auth/authtest"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/secret"
	"steward/internal/store"
)

func TestLink(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s, other := site.process(t, site.db), site.process(t, site.open(t))
	address, err := s.Link("alice", provider, "gmail", []string{readMail}, "https://app.example/back")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(address, publicURL+"/auth/google/login?link="), address)
	text := query(t, address).Get("link")
	want := oauth.Begin{
		Purpose: oauth.Connect, Owner: "alice", Provider: provider, Connector: "gmail", Scopes: []string{readMail},
		Redirect: "https://app.example/back",
	}

	taken := 0
	for _, err := range together(8, func(i int) error {
		begin, err := []*oauth.Service{s, other}[i%2].OpenLink(t.Context(), text)
		if err == nil {
			require.Equal(t, want, begin)
		}
		return err
	}) {
		if err == nil {
			taken++
			continue
		}
		require.Equal(t, oauth.CodeLinkInvalid, fault.CodeOf(err))
	}
	require.Equal(t, 1, taken, "once, whichever process it reaches")
}

func TestLinksOfOthersDoNotWork(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db)
	stranger := site.process(t, site.db, func(o *oauth.Options) { o.LinkKey = authtest.Key(t) })
	address, err := stranger.Link("alice", provider, "gmail", nil, "")
	require.NoError(t, err)
	text := query(t, address).Get("link")
	for _, forged := range []string{text, "", ".", text + ".x", strings.ToUpper(text), strings.Split(text, ".")[0] + ".", strings.Repeat("a", 1<<20)} {
		_, err := s.OpenLink(t.Context(), forged)
		require.Equal(t, oauth.CodeLinkInvalid, fault.CodeOf(err))
		require.True(t, fault.Is(err, fault.Forbidden))
	}
}

// FuzzOpenLink: no text opens but the one that was signed.
func FuzzOpenLink(f *testing.F) {
	key := authtest.Key(f)
	ring, err := secret.NewRing(authtest.Key(f))
	require.NoError(f, err)
	closed, err := store.Open(f.Context(), secret.New("postgres://nobody@127.0.0.1:1/none?connect_timeout=1"), 1)
	require.NoError(f, err)
	closed.Close() // a link that gets as far as the database is one too many
	anything := oauth.Provider{Name: provider, ClientID: "x", Issuer: "https://issuer.example", Authorize: func(oauth.Ask) url.Values { return nil }}
	s, err := oauth.New(closed, ring, discard(), oauth.Options{
		Providers: []oauth.Provider{anything}, PublicURL: publicURL, LinkKey: key, Transport: noTransport{},
	})
	require.NoError(f, err)
	address, err := s.Link("alice", provider, "gmail", nil, "")
	require.NoError(f, err)
	signed := query(f, address).Get("link")
	f.Add(signed[:len(signed)-1])
	f.Add("e" + signed)
	f.Add(strings.Replace(signed, ".", "..", 1))
	for _, seed := range []string{"", ".", "e30.AAAA", "eyJpZCI6IngifQ." + strings.Repeat("A", 43), strings.Repeat(".", 9)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if text == signed {
			return
		}
		_, err := s.OpenLink(context.Background(), text)
		require.Equal(t, oauth.CodeLinkInvalid, fault.CodeOf(err))
	})
}
