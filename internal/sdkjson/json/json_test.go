package json_test

import (
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"

	sdkjson "github.com/segmentio/encoding/json"
)

// message has what go-sdk's types are made of.
type message struct {
	Method string          `json:"method"`
	Params json.RawMessage `json:"params,omitempty"`
	Meta   map[string]any  `json:"_meta,omitempty"`
	Count  *int64          `json:"count,omitempty"`
	Ratio  float64         `json:"ratio,omitempty"`
	Data   []byte          `json:"data,omitempty"`
	Role   role            `json:"role,omitempty"`
	part
}

type part struct {
	Text string `json:"text"`
}

type role string

func (r *role) UnmarshalJSON(doc []byte) error {
	*r = role("read:" + string(doc))
	return nil
}

func decode(doc string) (m message, err error) {
	d := sdkjson.NewDecoder(strings.NewReader(doc))
	d.DontMatchCaseInsensitiveStructFields()
	return m, d.Decode(&m)
}

func TestDecodesAsEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		`{}`, `null`, `{"method":"tools/call","params":{"a":[1, 2]},"unknown":{"x":1}}`, `{"params":null,"_meta":null,"count":null}`,
		`{"_meta":{"a":1,"b":"x","c":[true,null],"d":{"e":1.5}},"count":9007199254740993,"ratio":1e3}`, `{"data":"aGVsbG8="}`,
		`{"role":"user","text":"embedded"}`, `{"method":"twice","method":"the last"}`, "{\"text\":\"\\u0041\\ud83d\\ude00\\n\"}", "{\"text\":\"\xff\"}",
	} {
		var want message
		if err := json.Unmarshal([]byte(doc), &want); err != nil {
			t.Fatalf("%s: %v", doc, err)
		}
		got, err := decode(doc)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", doc, got, err, want)
		}
	}
}

func TestNamesMatchToTheLetter(t *testing.T) {
	t.Parallel()
	m, err := decode(`{"Method":"a","METHOD":"b","Params":1,"TEXT":"c"}`)
	if err != nil || !reflect.DeepEqual(m, message{}) {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestWhatIsNoJSONIsRefused(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{``, ` `, `{`, `{"method":`, `{"method":1}`, `[]`, `{"a" 1}`, `{'a':1}`, `{"count":1.5}`, "{\"text\":\"\n\"}", `{"a":1,}`, `nul`, `{"data":"?"}`} {
		if m, err := decode(doc); err == nil {
			t.Errorf("%q was read as %+v", doc, m)
		}
	}
}

func TestReadsOneValueAtATime(t *testing.T) {
	t.Parallel()
	d := sdkjson.NewDecoder(strings.NewReader(` {"text":"a"} {"text":"b"}` + "\n"))
	for _, want := range []string{"a", "b"} {
		var m message
		if err := d.Decode(&m); err != nil || m.Text != want {
			t.Errorf("got %+v, %v, want %q", m, err, want)
		}
	}
	if err := d.Decode(new(message)); err != io.EOF { //nolint:errorlint // io.EOF itself, as encoding/json
		t.Errorf("got %v at the end", err)
	}
}

// FuzzDecode compares with encoding/json what both take: names in the spelling of the struct, one value.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"method":"a","params":[1]}`, `{"_meta":{"x":1e9}}`, `{"count":1,"data":"aGVsbG8="}`, `{"text":"\ud800"}`, `[1]`, `{`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		got, err := decode(doc)
		if strings.ContainsAny(doc, "ABCDEFGHIJKLMNOPQRSTUVWXYZ\\") || !json.Valid([]byte(doc)) {
			return // another spelling, or more than one value: no two decoders agree there
		}
		var want message
		wrong := json.Unmarshal([]byte(doc), &want)
		if (err == nil) != (wrong == nil) || err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%q\n got %+v, %v\nwant %+v, %v", doc, got, err, want, wrong)
		}
	})
}
