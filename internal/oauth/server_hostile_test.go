package oauth_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/secret"
)

// T-17, T-18: the code goes to whom was asked, once, from the browser that began, or nowhere.
func TestT18CodeNeverLeaves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(fake, evil *fakeAS, c *oauth.Callback)
		code  string
	}{
		"answer of another issuer":     {func(_, evil *fakeAS, c *oauth.Callback) { c.Issuer = evil.URL }, oauth.CodeIssuerMismatch},
		"issuer with a slash":          {func(_, _ *fakeAS, c *oauth.Callback) { c.Issuer += "/" }, oauth.CodeIssuerMismatch},
		"no issuer, though promised":   {func(_, _ *fakeAS, c *oauth.Callback) { c.Issuer = "" }, oauth.CodeIssuerMismatch},
		"place of another issuer":      {func(_, _ *fakeAS, c *oauth.Callback) { c.Place = strings.Repeat("0", 16) }, oauth.CodeIssuerMismatch},
		"place of nobody":              {func(_, _ *fakeAS, c *oauth.Callback) { c.Place = "" }, oauth.CodeIssuerMismatch},
		"state of nobody":              {func(_, _ *fakeAS, c *oauth.Callback) { c.State = "x" }, oauth.CodeStateInvalid},
		"another browser":              {func(_, _ *fakeAS, c *oauth.Callback) { c.Browser = secret.New("x") }, oauth.CodeStateInvalid},
		"no browser":                   {func(_, _ *fakeAS, c *oauth.Callback) { c.Browser = secret.String{} }, oauth.CodeStateInvalid},
		"callback of another provider": {func(_, _ *fakeAS, c *oauth.Callback) { c.Provider = provider }, oauth.CodeStateInvalid},
		"nobody consented":             {func(_, _ *fakeAS, c *oauth.Callback) { c.Code, c.Error = "", "access_denied" }, oauth.CodeConsentDenied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, evil := newFake(t), newFake(t)
			site := newSite(t)
			s := site.process(t, site.db, outward(t))
			id := site.addServer(t, "", fake.URL+"/mcp")
			begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: oauth.Server(id)})
			require.NoError(t, err)
			answer := oauth.Callback{Provider: "mcp", Place: place(t, begun.URL), State: query(t, begun.URL).Get("state"), Code: "code", Issuer: fake.URL, Browser: begun.Browser}
			c.spoil(fake, evil, &answer)
			_, err = s.Finish(t.Context(), answer)
			require.Equal(t, c.code, fault.CodeOf(err), "%v", err)
			require.Zero(t, fake.asked()+evil.asked())
		})
	}
}

// T-18: mix-up. A server that changes its authorization server between question and answer does not get the code of
// the first one.
func TestT18ServerMovesInTheMiddle(t *testing.T) {
	t.Parallel()
	fake, evil := newFake(t), newFake(t)
	site := newSite(t)
	s := site.process(t, site.db, outward(t))
	id := site.addServer(t, "", fake.URL+"/mcp")
	begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: oauth.Server(id)})
	require.NoError(t, err)
	fake.name(evil.URL)
	_, err = s.Calibrate(t.Context(), oauth.Resource{Server: id, URL: fake.URL + "/mcp"})
	require.NoError(t, err)
	for _, issuer := range []string{fake.URL, evil.URL} {
		_, err = s.Finish(t.Context(), oauth.Callback{Provider: "mcp", Place: place(t, begun.URL), State: query(t, begun.URL).Get("state"), Code: "code", Issuer: issuer, Browser: begun.Browser})
		require.Error(t, err)
	}
	require.Zero(t, fake.asked()+evil.asked())
}

// T-18: mix-up, where neither authority names itself in answers. The evil one sends browsers on to the honest one's
// consent page, under our client id there. The honest one knows another place of ours than that of the evil one: its
// code goes nowhere.
func TestT18AuthorityThatSendsBrowsersToAnother(t *testing.T) {
	t.Parallel()
	honest, evil := newFake(t), newFake(t)
	silent := func(m map[string]any) { delete(m, "authorization_response_iss_parameter_supported") }
	honest.change = silent
	evil.change = func(m map[string]any) {
		silent(m)
		m["authorization_endpoint"] = honest.URL + "/authorize"
	}
	site := newSite(t)
	s := site.process(t, site.db, outward(t))
	begin := func(fake *fakeAS) oauth.Begun {
		id := site.addServer(t, "", fake.URL+"/mcp")
		begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: oauth.Server(id)})
		require.NoError(t, err)
		require.Equal(t, []string{query(t, begun.URL).Get("redirect_uri")}, fake.redirects(), "registered there, and nothing else")
		return begun
	}
	right := place(t, begin(honest).URL)
	require.NotEmpty(t, right)
	for _, comes := range []string{right, ""} {
		begun := begin(evil)
		require.NotEqual(t, right, place(t, begun.URL))
		_, err := s.Finish(t.Context(), oauth.Callback{Provider: "mcp", Place: comes, State: query(t, begun.URL).Get("state"), Code: "the honest one's", Browser: begun.Browser})
		require.Equal(t, oauth.CodeIssuerMismatch, fault.CodeOf(err), "%v", err)
		require.Zero(t, honest.asked()+evil.asked())
	}
	begun := begin(honest)
	_, err := s.Finish(t.Context(), oauth.Callback{Provider: "mcp", Place: place(t, begun.URL), State: query(t, begun.URL).Get("state"), Code: "its own", Browser: begun.Browser})
	require.NoError(t, err, "who is silent is not refused for it")
	require.Equal(t, query(t, begun.URL).Get("redirect_uri"), honest.lastForm().Get("redirect_uri"))
}

// T-18: our document leads all its readers to one place. An answer to it names its issuer, or its code goes nowhere; who
// does not promise that and registers clients is not shown the document.
func TestT18ReadersOfOurDocumentNameThemselves(t *testing.T) {
	t.Parallel()
	published := func(o *oauth.Options) { o.PublicURL = "https://steward.test" }
	for name, c := range map[string]struct {
		promised, registers bool
		issuer              bool // in the answer
		document            bool
		code                string
	}{
		"promised and named":    {true, true, true, true, ""},
		"promised and silent":   {true, true, false, true, oauth.CodeIssuerMismatch},
		"silent, registers":     {false, true, false, false, ""},
		"silent, reads alone":   {false, false, false, true, oauth.CodeIssuerMismatch},
		"unpromised, but named": {false, false, true, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := newFake(t)
			fake.change = func(m map[string]any) {
				m["client_id_metadata_document_supported"] = true
				m["authorization_response_iss_parameter_supported"] = c.promised
				if !c.registers {
					delete(m, "registration_endpoint")
				}
			}
			site := newSite(t)
			s := site.process(t, site.db, outward(t), published)
			id := site.addServer(t, "", fake.URL+"/mcp")
			begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: oauth.Server(id)})
			require.NoError(t, err)
			require.Equal(t, c.document, query(t, begun.URL).Get("client_id") == s.Document().ClientID)
			require.Equal(t, c.document, place(t, begun.URL) == "")
			answer := oauth.Callback{Provider: "mcp", Place: place(t, begun.URL), State: query(t, begun.URL).Get("state"), Code: "code", Browser: begun.Browser}
			if c.issuer {
				answer.Issuer = fake.URL
			}
			_, err = s.Finish(t.Context(), answer)
			if c.code == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, c.code, fault.CodeOf(err), "%v", err)
			require.Zero(t, fake.asked())
		})
	}
}

// A registration of before, which leads to the bare callback, is not used in further flows: its issuer gets a place.
func TestRegistrationsMoveToTheirPlace(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	site := newSite(t)
	s := site.process(t, site.db, outward(t))
	id := site.addServer(t, "", fake.URL+"/mcp")
	connectFake(t, s, fake, id)
	before := site.credentialOf(t, "alice", oauth.Server(id))
	_, err := site.db.Pool.Exec(t.Context(), "UPDATE oauth_clients SET redirect_url = $1", publicURL+"/auth/mcp/callback")
	require.NoError(t, err)
	_, _, err = s.Refresh(t.Context(), "alice", oauth.Server(id), before.Version)
	require.NoError(t, err, "what it has led to is renewed with it")
	connectFake(t, s, fake, id)
	require.NotEqual(t, before.ClientID, site.credentialOf(t, "alice", oauth.Server(id)).ClientID)
}

// T-17: a state works once.
func TestT17StateOfAServerWorksOnce(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	site := newSite(t)
	s := site.process(t, site.db, outward(t))
	id := site.addServer(t, "", fake.URL+"/mcp")
	begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: oauth.Server(id)})
	require.NoError(t, err)
	answer := oauth.Callback{Provider: "mcp", Place: place(t, begun.URL), State: query(t, begun.URL).Get("state"), Code: "code", Issuer: fake.URL, Browser: begun.Browser}
	_, err = s.Finish(t.Context(), answer)
	require.NoError(t, err)
	_, err = s.Finish(t.Context(), answer)
	require.Equal(t, oauth.CodeStateInvalid, fault.CodeOf(err))
	require.Equal(t, 1, fake.asked())
	require.NotEmpty(t, fake.lastForm().Get("code_verifier"))
	require.Equal(t, fake.URL+"/mcp", fake.lastForm().Get("resource"))
	_, err = s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Login, Provider: oauth.Server(id)})
	require.Equal(t, oauth.CodeLoginRefused, fault.CodeOf(err), "nobody signs in with a remote server")
}

// T-03, T-06, T-18: what a server says about its authorization is not believed.
func TestT06ServerThatLies(t *testing.T) {
	t.Parallel()
	set := func(name string, value any) func(f *fakeAS) {
		return func(f *fakeAS) { f.change = func(m map[string]any) { m[name] = value } }
	}
	for name, c := range map[string]struct {
		lie  func(f *fakeAS)
		code string
	}{
		"script to authorize":      {set("authorization_endpoint", "javascript:alert(1)"), oauth.CodeProvider},
		"token endpoint in clear":  {set("token_endpoint", "http://as.example/token"), oauth.CodeProvider},
		"issuer of another":        {set("issuer", "https://honest.example"), oauth.CodeIssuerMismatch},
		"resource of another":      {func(f *fakeAS) { f.resource = "https://victim.example/mcp" }, oauth.CodeIssuerMismatch},
		"authority in the network": {func(f *fakeAS) { f.name("https://169.254.169.254") }, oauth.CodeEgressDenied},
		"authority mapped":         {func(f *fakeAS) { f.name("https://[::ffff:10.0.0.1]") }, oauth.CodeEgressDenied},
		"registration inside":      {set("registration_endpoint", "https://10.0.0.1/register"), oauth.CodeEgressDenied},
		"no PKCE":                  {set("code_challenge_methods_supported", []string{"plain"}), oauth.CodeProvider},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := newFake(t)
			c.lie(fake)
			site := newSite(t)
			s := site.process(t, site.db, outward(t))
			id := site.addServer(t, "", fake.URL+"/mcp")
			_, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: oauth.Server(id)})
			require.Equal(t, c.code, fault.CodeOf(err), "%v", err)
			require.NotContains(t, fault.Text(err), "127.0.0.1")
			require.NotContains(t, fault.Text(err), "10.0.0.1")
		})
	}
}
