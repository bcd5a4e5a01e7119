package structured_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"steward/dev/offline/dialog"
	"steward/dev/offline/money"
	"steward/dev/offline/structured"
)

const text = dialog.Prefix + "2 emails. Total: EUR 1,234.50, USD 99.00"

// facts are those of two invoices in two currencies.
func facts() dialog.Facts {
	mail := func(id, from, subject string) map[string]any {
		return map[string]any{"id": id, "from": from, "subject": subject, "date": "2026-11-16T09:00:00Z", "size": json.Number("7.5"), "read": true}
	}
	eur, usd := money.Amount{Currency: "EUR", Cents: 123450}, money.Amount{Currency: "USD", Cents: 9900}
	return dialog.Facts{
		Items: []dialog.Item{
			{Value: mail("m1", "a@acme.example", "Invoice 1"), Amounts: []money.Amount{eur}},
			{Value: mail("m2", "b@globex.example", "Invoice 2"), Amounts: []money.Amount{usd}},
		},
		Totals: []money.Amount{eur, usd},
		Values: []any{
			map[string]any{"recipient": "boss@company.example"},
			map[string]any{"truncated": true, "cursor": "c7", "pages": json.Number("3")},
			mail("m1", "a@acme.example", "Invoice 1"), mail("m2", "b@globex.example", "Invoice 2"),
		},
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	quoted := `"` + text + `"`
	for name, c := range map[string]struct{ schema, want string }{
		"the figures":             {`{"type":"object","properties":{"total":{"type":"number"},"currency":{"type":"string"},"count":{"type":"integer"},"summary":{"type":"string"}},"required":["total","currency","count","summary"],"additionalProperties":false}`, `{"count":2,"currency":"EUR","summary":` + quoted + `,"total":1234.5}`},
		"optional ones":           {`{"type":"object","properties":{"answer":{"type":"string"},"count":{"type":"integer"},"phone":{"type":"string"},"sent":{"type":"boolean"}}}`, `{"answer":` + quoted + `,"count":2}`},
		"what is not known":       {`{"type":"object","properties":{"answer":{"type":"string"},"phone":{"type":"string"},"sent":{"type":"boolean"},"age":{"type":"integer"},"who":{"type":["string","null"]},"list":{"type":"object"}},"required":["answer","phone","sent","age","who","list"]}`, `{"age":0,"answer":` + quoted + `,"list":{},"phone":"","sent":false,"who":null}`},
		"total of a currency":     {`{"type":"object","properties":{"total_usd":{"type":"number"},"total_chf":{"type":"number"},"totalEur":{"type":"number"},"amount_cents":{"type":"integer"}},"required":["total_usd","total_chf"]}`, `{"amount_cents":123450,"totalEur":1234.5,"total_chf":0,"total_usd":99}`},
		"no rounding":             {`{"type":"object","properties":{"total":{"type":"integer"},"total_due":{"type":["integer","null"]}},"required":["total","total_due"]}`, `{"total":0,"total_due":null}`},
		"total too high":          {`{"type":"object","properties":{"total":{"type":"number","minimum":5,"maximum":10}},"required":["total"]}`, `{"total":5}`},
		"numbers that fit":        {`{"type":"object","properties":{"a":{"type":"integer","exclusiveMinimum":3,"multipleOf":5},"b":{"type":"number","maximum":-2},"c":{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}},"required":["a","b","c"]}`, `{"a":5,"b":-2,"c":0.5}`},
		"names for numbers":       {`{"type":"object","properties":{"invoice_count":{"type":"integer"},"number_of_emails":{"type":"integer"},"total_invoices":{"type":"integer"},"invoice_number":{"type":"integer"},"due_days":{"type":"integer"},"pages":{"type":"integer"}},"required":["invoice_number","due_days"]}`, `{"due_days":0,"invoice_count":2,"invoice_number":0,"number_of_emails":2,"pages":3,"total_invoices":2}`},
		"items":                   {`{"type":"object","properties":{"invoices":{"type":"array","items":{"type":"object","properties":{"sender":{"type":"string"},"amount":{"type":"number"},"currency":{"type":"string"},"date":{"type":"string","format":"date"},"note":{"type":"string"}},"required":["sender","amount","currency","date","note"],"additionalProperties":false}},"message":{"type":"string"}},"required":["invoices","message"]}`, `{"invoices":[{"amount":1234.5,"currency":"EUR","date":"2026-11-16","note":"","sender":"a@acme.example"},{"amount":99,"currency":"USD","date":"2026-11-16","note":"","sender":"b@globex.example"}],"message":` + quoted + `}`},
		"totals by currency":      {`{"type":"object","properties":{"totals":{"type":"array","items":{"type":"object","properties":{"currency":{"type":"string"},"amount":{"type":"number"}}}},"currencies":{"type":"array","items":{"type":"string"}}}}`, `{"currencies":["EUR","USD"],"totals":[{"amount":1234.5,"currency":"EUR"},{"amount":99,"currency":"USD"}]}`},
		"texts of items":          {`{"type":"object","properties":{"subjects":{"type":"array","items":{"type":"string"},"maxItems":1},"errors":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string"}}}}},"required":["subjects","errors"]}`, `{"errors":[],"subjects":["Invoice 1"]}`},
		"unique items":            {`{"type":"object","properties":{"sizes":{"type":"array","items":{"type":"number"},"uniqueItems":true},"pairs":{"type":"array","items":{"type":"boolean"},"minItems":2,"maxItems":2}},"required":["sizes","pairs"]}`, `{"pairs":[false,false],"sizes":[7.5]}`},
		"references":              {`{"type":"object","$defs":{"Money":{"type":"object","properties":{"amount":{"type":"number"},"currency":{"$ref":"#/$defs/Code"}},"required":["amount","currency"]},"Code":{"type":"string","minLength":3,"maxLength":3}},"properties":{"due":{"$ref":"#/$defs/Money"},"reply":{"type":"string"}},"required":["due","reply"]}`, `{"due":{"amount":1234.5,"currency":"EUR"},"reply":` + quoted + `}`},
		"recursive":               {`{"type":"object","properties":{"text":{"type":"string"},"children":{"type":"array","items":{"$ref":"#"}},"next":{"$ref":"#"}},"required":["text","children"]}`, `{"children":[],"text":` + quoted + `}`},
		"recursive, nullable":     {`{"type":"object","$defs":{"n":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"properties":{"text":{"type":"string"},"next":{"$ref":"#/$defs/n"}},"required":["text","next"]}`, `{"next":null,"text":` + quoted + `}`},
		"const, enum, default":    {`{"type":"object","properties":{"kind":{"const":"invoices"},"currency":{"enum":["USD","EUR"]},"state":{"enum":["open","none",null]},"lang":{"type":"string","default":"en"},"level":{"enum":["a","b"],"default":"b"},"count":{"type":"integer","default":9},"v":{"enum":[1,2]}},"required":["kind","currency","state","v"]}`, `{"count":2,"currency":"EUR","kind":"invoices","lang":"en","level":"b","state":null,"v":1}`},
		"one of several":          {`{"type":"object","properties":{"r":{"oneOf":[{"type":"object","properties":{"kind":{"const":"none"}},"required":["kind"]},{"type":"object","properties":{"kind":{"const":"sum"},"total":{"type":"number"}},"required":["kind","total"]}]}},"required":["r"]}`, `{"r":{"kind":"sum","total":1234.5}}`},
		"lengths":                 {`{"type":"object","properties":{"summary":{"type":"string","maxLength":25},"code":{"type":"string","minLength":2},"text":{"type":"string","maxLength":4}},"required":["summary","code","text"]}`, `{"code":"--","summary":"[offline rules] 2 emails.","text":""}`},
		"patterns":                {`{"type":"object","properties":{"id":{"type":"string","pattern":"^-*$"},"cursor":{"type":"string","pattern":"^c\\d$"}},"required":["id","cursor"]}`, `{"cursor":"c7","id":""}`},
		"another place for it":    {`{"type":"object","properties":{"cursor":{"type":"string"},"where":{"type":"object","properties":{"day":{"type":"string","format":"date"},"topic":{"type":"string"},"other":{"type":"string"}},"required":["topic","other"]}},"required":["cursor","where"]}`, `{"cursor":"c7","where":{"other":"","topic":` + quoted + `}}`},
		"values that disagree":    {`{"type":"object","properties":{"from":{"type":"string"},"recipient":{"type":"string"},"truncated":{"type":"boolean"},"read":{"type":"boolean"},"message_id":{"type":"string"},"answer":{"type":"string"}},"required":["from","message_id"]}`, `{"answer":` + quoted + `,"from":"","message_id":"","read":true,"recipient":"boss@company.example","truncated":true}`},
		"undeclared but required": {`{"type":"object","required":["count","extra"],"additionalProperties":{"type":"integer"}}`, `{"count":2,"extra":0}`},
		"least properties":        {`{"type":"object","properties":{"a":{"type":"boolean"},"b":{"type":"integer"}},"minProperties":1,"maxProperties":1}`, `{"a":false}`},
		"single allOf":            {`{"type":"object","$defs":{"x":{"type":"integer"}},"properties":{"count":{"allOf":[{"$ref":"#/$defs/x"}],"description":"d","default":1}},"required":["count"]}`, `{"count":2}`},
		"a string":                {`{"type":"string"}`, quoted},
		"anything":                {`{}`, quoted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := structured.Answer(json.RawMessage(c.schema), text, facts())
			require.True(t, ok)
			require.Equal(t, c.want, got)
			validate(t, c.schema, got)
		})
	}
}

func TestAnswerDeclines(t *testing.T) {
	t.Parallel()
	for name, schema := range map[string]string{
		"no JSON":             `{`,
		"null":                `null`,
		"a list":              `[]`,
		"too long":            `{"title":"` + strings.Repeat("x", 64<<10) + `"}`,
		"too deep":            strings.Repeat(`{"type":"object","required":["a"],"properties":{"a":`, 70) + `{}` + strings.Repeat(`}}`, 70),
		"itself":              `{"$ref":"#"}`,
		"itself, required":    `{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}`,
		"two that turn round": `{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}`,
		"leads nowhere":       `{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"required":["a"]}`,
		"leads out":           `{"$ref":"https://example.com/schema.json"}`,
		"doubles":             doubling(40),
		"not":                 `{"type":"object","not":{"required":["a"]}}`,
		"conditions":          `{"type":"object","if":{},"then":{"required":["a"]}}`,
		"impossible":          `{"type":"object","properties":{"a":false},"required":["a"]}`,
		"forbidden":           `{"type":"object","required":["a"],"additionalProperties":false}`,
		"no number":           `{"type":"integer","minimum":3,"maximum":2}`,
		"no text":             `{"type":"string","pattern":"^\\d{4}$"}`,
		"no expression":       `{"type":"string","pattern":"("}`,
		"endless text":        `{"type":"string","minLength":999999999}`,
		"endless list":        `{"type":"array","items":{"type":"null"},"minItems":999999999}`,
		"unknown type":        `{"type":"date"}`,
		"more than one fits":  `{"oneOf":[{"type":"string"},{"maxLength":5000}]}`,
		"wrong const":         `{"type":"string","const":5}`,
		"const and enum":      `{"const":1,"enum":[1]}`,
		"wrong bounds":        `{"type":"object","minProperties":-1}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := structured.Answer(json.RawMessage(schema), text, facts())
			require.False(t, ok, got)
		})
	}
}

// Nothing was found: a value that says nothing, but says whose it is.
func TestAnswerWithoutFacts(t *testing.T) {
	t.Parallel()
	schema := `{"type":"object","properties":{"total":{"type":"number"},"currency":{"type":"string"},"items":{"type":"array"},"summary":{"type":"string"}},"required":["total","currency","items","summary"]}`
	got, ok := structured.Answer(json.RawMessage(schema), dialog.Prefix+"Nothing.", dialog.Facts{})
	require.True(t, ok)
	require.JSONEq(t, `{"currency":"","items":[],"summary":"[offline rules] Nothing.","total":0}`, got)
}

// doubling is a schema that is small as it is written and has 2^n leaves.
func doubling(n int) string {
	var defs strings.Builder
	for i := range n {
		next := fmt.Sprintf(`{"$ref":"#/$defs/d%d"}`, i+1)
		fmt.Fprintf(&defs, `"d%d":{"type":"object","properties":{"a":%s,"b":%s},"required":["a","b"]},`, i, next, next)
	}
	return fmt.Sprintf(`{"$ref":"#/$defs/d0","$defs":{%s"d%d":{"type":"null"}}}`, defs.String(), n)
}

// validate lets another implementation judge. It must not be given schemas that turn in a circle.
func validate(t *testing.T, schema, value string) {
	t.Helper()
	var s jsonschema.Schema
	require.NoError(t, json.Unmarshal([]byte(schema), &s))
	resolved, err := s.Resolve(nil)
	require.NoError(t, err)
	var v any
	require.NoError(t, json.Unmarshal([]byte(value), &v))
	require.NoError(t, resolved.Validate(v), value)
}
