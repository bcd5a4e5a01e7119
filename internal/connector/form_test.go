package connector_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"steward/internal/connector"
	"steward/internal/connector/formtest"
	"steward/internal/fault"
)

// questions has one field of every kind.
var questions = &connector.Form{Fields: []connector.Field{
	{Name: "host", Kind: connector.Line, Required: true, MaxLength: 20, Pattern: `^[a-z.]+$`, Wrong: "is not a host"},
	{Name: "note", Kind: connector.Text, MaxLength: 30},
	{Name: "port", Kind: connector.Number, Default: 5432, Least: 1, Most: 65535},
	{Name: "weight", Kind: connector.Number, Least: -5, Most: 5},
	{Name: "password", Kind: connector.Password, Required: true},
	{Name: "ssl", Kind: connector.Checkbox},
	{Name: "pooled", Kind: connector.Checkbox, Default: true},
	{Name: "mode", Kind: connector.Select, Options: []string{"a", "b"}},
}}

func TestFormRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ values, want string }{
		{`{"host":" db.test ","password":" p "}`, "db.test||5432|0| p |false|true|"},
		{`{"host":"db.test","password":"p","port":"80","ssl":"true","pooled":false,"mode":"b","note":"a\nb","weight":-5}`, "db.test|a\nb|80|-5|p|true|false|b"},
		{`{"host":"db.test","password":"p","port":null,"ssl":"","pooled":"","mode":null,"note":""}`, "db.test||5432|0|p|false|true|"},
		{`{"host":"db.test","password":"p","port":"","weight":" 3 "}`, "db.test||5432|3|p|false|true|"},
	} {
		var values map[string]any
		require.NoError(t, json.Unmarshal([]byte(tt.values), &values))
		s, err := questions.Read(values)
		require.NoError(t, err, tt.values)
		got := fmt.Sprintf("%s|%s|%d|%d|%s|%t|%t|%s", s.Text("host"), s.Text("note"), s.Number("port"), s.Number("weight"),
			s.Secret("password").Reveal(), s.Ticked("ssl"), s.Ticked("pooled"), s.Text("mode"))
		require.Equal(t, tt.want, got, tt.values)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", s, s, s), "p ", "settings do not print")
	}
}

func TestFormReadComplains(t *testing.T) {
	t.Parallel()
	for answer, complaint := range map[string]string{
		`"host":""`:                          "body.host: is required",
		`"host":"  "`:                        "body.host: is required",
		`"host":7`:                           "body.host: is not text",
		`"host":["a"]`:                       "body.host: is not text",
		`"host":"` + strings.Repeat("a", 21): "body.host: is longer than 20 characters",
		`"host":"a b"`:                       "body.host: is not a host",
		`"host":"a\nb"`:                      "body.host: holds characters that are not allowed",
		`"host":"a\u0000b"`:                  "body.host: holds characters that are not allowed",
		`"note":"a\u0000b"`:                  "body.note: holds characters that are not allowed",
		`"port":0`:                           "body.port: is not a whole number from 1 to 65535",
		`"port":65536`:                       "body.port: is not a whole number from 1 to 65535",
		`"port":1.5`:                         "body.port: is not a whole number from 1 to 65535",
		`"port":1e300`:                       "body.port: is not a whole number from 1 to 65535",
		`"port":"0x10"`:                      "body.port: is not a whole number from 1 to 65535",
		`"port":true`:                        "body.port: is not a whole number from 1 to 65535",
		`"port":{}`:                          "body.port: is not a whole number from 1 to 65535",
		`"password":null`:                    "body.password: is required",
		`"password":"` + strings.Repeat("ä", 256): "body.password: is longer than 255 characters",
		`"password":"a\rb"`:                       "body.password: holds characters that are not allowed",
		`"ssl":1`:                                 "body.ssl: is neither true nor false",
		`"ssl":"yes"`:                             "body.ssl: is neither true nor false",
		`"mode":"c"`:                              "body.mode: is none of a, b",
		`"Host":"x"`:                              "body.Host: the form has no such field",
		`"` + strings.Repeat("x", 99) + `":"x"`:   "body." + strings.Repeat("x", 64) + ": the form has no such field",
	} {
		values := map[string]any{"host": "db.test", "password": "p"}
		if strings.Count(answer, `"`)%2 == 1 {
			answer += `"`
		}
		require.NoError(t, json.Unmarshal([]byte("{"+answer+"}"), &values), answer)
		_, err := questions.Read(values)
		require.EqualError(t, err, complaint, answer)
	}
	_, err := questions.Read(map[string]any{"port": "x", "mode": "c", "nothing": 1})
	refusal, ok := errors.AsType[*fault.Error](err)
	require.True(t, ok)
	var at []string
	for _, f := range refusal.Fields {
		at = append(at, f.Location)
	}
	require.Equal(t, []string{"body.host", "body.port", "body.password", "body.mode", "body.nothing"}, at, "all at once, in the form's order")
}

// Whatever comes: settings that are accepted fit their fields, and refusals are few, short and repeat nothing secret.
func FuzzFormRead(f *testing.F) {
	for _, seed := range []string{
		`{"host":"a.test","port":5432,"database":"campaigns","username":"u","password":"secret123","ssl":true}`,
		`{"host":"::1","port":"1","database":"x","username":"u","password":"p","ssl_mode":"verify-full","ssl_ca":"-----BEGIN"}`,
		`{"host":null,"port":1e999,"password":{"a":[]},"allow_writes":"true"}`, `{}`, `{"":""}`, `{"\u0000":"\ud800"}`, `{"host":"a","host":"b"}`,
	} {
		f.Add(seed)
	}
	form := new(formtest.Paper).Connector().Form
	f.Fuzz(func(t *testing.T, body string) {
		var values map[string]any
		if json.Unmarshal([]byte(body), &values) != nil {
			return
		}
		s, err := form.Read(values)
		if err != nil {
			refusal, ok := errors.AsType[*fault.Error](err)
			require.True(t, ok && refusal.Kind == fault.Invalid)
			require.NotEmpty(t, refusal.Fields)
			require.LessOrEqual(t, len(refusal.Fields), 16)
			for _, field := range refusal.Fields {
				require.True(t, strings.HasPrefix(field.Location, "body."))
				require.LessOrEqual(t, len(field.Location)+len(field.Message), 300)
			}
			if text, _ := values["password"].(string); len(text) > 20 {
				require.NotContains(t, err.Error(), text)
			}
			return
		}
		for _, field := range form.Fields {
			text := s.Text(field.Name)
			require.True(t, utf8.ValidString(text) && !strings.ContainsRune(text, 0))
			require.False(t, field.Required && text == "", field.Name)
			switch field.Kind {
			case connector.Number:
				require.True(t, s.Number(field.Name) >= field.Least && s.Number(field.Name) <= field.Most)
			case connector.Checkbox:
				require.Contains(t, []string{"true", "false"}, text)
			case connector.Select:
				require.True(t, text == "" || slices.Contains(field.Options, text))
			default:
				require.LessOrEqual(t, utf8.RuneCountInString(text), field.Longest())
				require.True(t, field.Kind == connector.Text || !strings.ContainsAny(text, "\r\n"))
			}
		}
		if _, err := form.Place(s); err != nil {
			require.True(t, fault.Is(err, fault.Invalid))
		}
	})
}
