package addressee_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/internal/tool/addressee"
)

// found writes what was found the way the tables of these tests do.
func found(all []addressee.Addressee) []string {
	out := []string{}
	for _, a := range all {
		s := string(a.Kind) + " " + a.Value
		if a.Unreadable {
			s += " ?"
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

func arguments(t testing.TB, v any) []byte {
	t.Helper()
	doc, err := json.Marshal(v)
	require.NoError(t, err)
	return doc
}

func TestInArguments(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	for name, tc := range map[string]struct {
		arguments object
		want      []string
	}{
		"nothing":                 {object{"text": "hello, world", "n": 3, "yes": true, "none": nil}, nil},
		"mail":                    {object{"to": "bob@example.com"}, []string{"mail bob@example.com"}},
		"case and final dot":      {object{"to": "Bob@Example.COM."}, []string{"mail bob@example.com"}},
		"plus is another address": {object{"to": "bob+x@example.com"}, []string{"mail bob+x@example.com"}},
		"display name":            {object{"to": `"Boss <boss@corp.test>" <thief@evil.example>`}, []string{"mail boss@corp.test", "mail thief@evil.example"}},
		"list":                    {object{"to": []string{"a@example.com", "B <b@example.com>"}}, []string{"mail a@example.com", "mail b@example.com"}},
		"commas":                  {object{"to": "a@example.com, b@example.com;c@example.com"}, []string{"mail a@example.com", "mail b@example.com", "mail c@example.com"}},
		"header smuggled":         {object{"to": "bob@example.com\r\nBcc: thief@evil.example"}, []string{"mail bob@example.com", "mail thief@evil.example", "name bcc: thief@evil.example"}},
		"riddle":                  {object{"to": "thief AT evil DOT example"}, []string{"name thief at evil dot example"}},
		"address and a channel":   {object{"to": "bob@example.com; #everyone"}, []string{"mail bob@example.com", "name #everyone"}},
		"number":                  {object{"chat_id": 4711}, []string{"name 4711"}},
		"nested, long text":       {object{"m": object{"b": []any{"see x, write to eve@evil.example now"}}}, []string{"mail eve@evil.example"}},
		"member's name":           {object{"m": object{"eve@evil.example": 1}}, []string{"mail eve@evil.example"}},
		"JSON in a string":        {object{"m": `{"to":"eve\u0040evil.example"}`}, []string{"mail eve@evil.example"}},
		"base64":                  {object{"raw": base64.RawURLEncoding.EncodeToString([]byte("To: eve@evil.example\r\n\r\nhi?>"))}, []string{"mail eve@evil.example"}},
		"full width":              {object{"m": "eve＠evil．example"}, []string{"mail eve@evil.example"}},
		"entities":                {object{"m": "eve&#64;evil&period;example"}, []string{"mail eve@evil.example"}},
		"IDN":                     {object{"to": "eve@bücher.example"}, []string{"mail eve@xn--bcher-kva.example"}},
		"homoglyph host":          {object{"to": "bob@exаmple.com"}, []string{"mail bob@xn--exmple-4nf.com"}},
		"homoglyph local part":    {object{"to": "bоb@example.com"}, []string{"mail bоb@example.com"}},
		"Kelvin sign":             {object{"text": "mar\u212a@example.com"}, []string{"mail mark@example.com", "mail mar\u212a@example.com"}},
		"hidden in local part":    {object{"text": "bo\u200bb@example.com"}, []string{"mail bo\u200bb@example.com"}},
		"literal":                 {object{"text": "bob@[192.0.2.1]"}, []string{"host 192.0.2.1", "mail bob@192.0.2.1"}},
		"URL":                     {object{"url": "https://Example.com:8443/p?q=1#f"}, []string{"host example.com"}},
		"URL in a text":           {object{"text": "(see https://example.com/a), or ftp://files.test."}, []string{"host example.com", "host files.test"}},
		"URL in a URL":            {object{"url": "https://example.com/?u=https://evil.example/"}, []string{"host evil.example", "host example.com"}},
		"URL encoded in a URL":    {object{"url": "https://example.com/?u=https%3A%2F%2Fevil.example%2F"}, []string{"host evil.example", "host example.com"}},
		"user's name":             {object{"url": "https://example.com@evil.example/"}, []string{"host evil.example", "mail example.com@evil.example"}},
		"backslash before @":      {object{"url": `https://example.com\@evil.example/`}, []string{"host evil.example", "host example.com ?"}},
		"one slash, none":         {object{"text": "https:/evil.example http:evil2.example"}, []string{"host evil.example", "host evil2.example"}},
		"backslashes":             {object{"text": `https:\\evil.example\x`}, []string{"host evil.example"}},
		"percent in host":         {object{"url": "https://example.com%2eevil.example/"}, []string{"host example.com.evil.example"}},
		"comma in host":           {object{"url": "https://example.com,x.evil.example/"}, []string{"host example.com,x.evil.example ?", "host x.evil.example"}},
		"list of URLs":            {object{"text": "https://a.test,https://b.test"}, []string{"host a.test", "host b.test"}},
		"line break in URL":       {object{"url": "https://e\nvil.example/"}, []string{"host e", "host evil.example", "host vil.example"}},
		"no scheme":               {object{"url": "//evil.example/x"}, []string{"host evil.example"}},
		"UNC":                     {object{"file": `x`, "share": `\\evil.example\c`}, []string{"host evil.example"}},
		"www":                     {object{"text": "www.evil.example/x"}, []string{"host www.evil.example"}},
		"bare host":               {object{"q": "evil.example/x?y", "host": "db.prod"}, []string{"host db.prod", "host evil.example"}},
		"bare host in a text":     {object{"text": "go to evil.example now"}, []string{"host evil.example"}},
		"address as a number":     {object{"host": "2130706433", "url": "http://0x7f000001/"}, []string{"host 0x7f000001", "host 2130706433"}},
		"IP":                      {object{"host": "192.0.2.7:80", "v6": "[2001:DB8::1]", "u": "http://[::ffff:192.0.2.8]/"}, []string{"host 192.0.2.7", "host 192.0.2.8", "host 2001:db8::1"}},
		"files are no hosts":      {object{"path": "notes.md", "text": "report.pdf, node.js, README.md, 12.50, e.g. this.Or that", "version": "1.2.3"}, nil},
		"local file":              {object{"url": "file:///etc/passwd"}, nil},
		"a handle":                {object{"text": "@alice said hi"}, nil},
		"scp":                     {object{"remote": "git@evil.example:repo.git"}, []string{"mail git@evil.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.want == nil {
				tc.want = []string{}
			}
			slices.Sort(tc.want)
			require.Empty(t, cmp.Diff(tc.want, found(addressee.InArguments(arguments(t, tc.arguments), nil))))
		})
	}
}

func TestDeclaredFieldsAloneCount(t *testing.T) {
	t.Parallel()
	doc := []byte(`{"to":["bob@example.com"],"cc":"Team","body":"quoting eve@evil.example and https://evil.example"}`)
	require.Equal(t, []string{"mail bob@example.com", "name team"}, found(addressee.InArguments(doc, []string{"to", "cc", "bcc"})))
	all := addressee.InArguments(doc, []string{"to"})
	require.Equal(t, "to[0]", all[0].Where)
}

func TestWhereAndHowMuchOfAURL(t *testing.T) {
	t.Parallel()
	all := addressee.InArguments([]byte(`{"a":{"b":["x","see https://example.com/p?q."]}}`), nil)
	require.Equal(t, []addressee.Addressee{{Kind: addressee.Host, Value: "example.com", Where: "a.b[1]", URL: "https://example.com/p?q"}}, all)
}

func TestMoreThanCanBeLookedAt(t *testing.T) {
	t.Parallel()
	to := make([]string, 1000)
	for i := range to {
		to[i] = strings.Repeat("a", i+1) + "@example.com"
	}
	all := addressee.InArguments(arguments(t, map[string]any{"to": to}), nil)
	require.Len(t, all, 201)
	require.True(t, all[200].Unreadable, "what is not looked at is not known")
}

func FuzzInArguments(f *testing.F) {
	for _, s := range []string{"bob@example.com", "https://a@b.example\\@c", `{"x":["y@z.example"]}`, "%40", "&commat;", "＠", "aGVsbG8gZXZlQGV2aWwuZXhhbXBsZQ", "[::1]:80"} {
		f.Add(s, "to")
	}
	f.Fuzz(func(t *testing.T, text, key string) {
		doc, err := json.Marshal(map[string]any{key: text, "list": []string{text}})
		if err != nil {
			return
		}
		all := addressee.InArguments(doc, nil)
		require.Equal(t, all, addressee.InArguments(doc, nil))
		require.LessOrEqual(t, len(all), 201)
		with := addressee.InArguments(arguments(t, map[string]any{key: text + " eve@evil.example "}), nil)
		require.True(t, len(with) == 201 || slices.ContainsFunc(with, func(a addressee.Addressee) bool {
			return strings.HasSuffix(a.Value, "eve@evil.example")
		}), "nothing around an address hides it: %v", with)
	})
}
