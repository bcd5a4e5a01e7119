package connector_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/oauth"
)

type sum struct {
	Of   []int  `json:"of" jsonschema:"numbers"`
	Note string `json:"note,omitempty" jsonschema:"said to nobody"`
}

type total struct {
	Total int `json:"total"`
}

func adder() connector.Tool {
	return connector.Typed[sum, total]{
		Tool:   connector.Tool{Name: "MATH_ADD", Class: automation.Effect},
		Bounds: func(p map[string]*jsonschema.Schema) { p["of"].MaxItems = jsonschema.Ptr(3) },
		Call: func(_ context.Context, _ *connector.Session, c connector.Call, in sum) (total, error) {
			if c.ID == "broken" {
				return total{}, &connector.Error{Ran: true, Reason: "broken"}
			}
			out := total{}
			for _, n := range in.Of {
				out.Total += n
			}
			return out, nil
		},
		Probe: func(_ context.Context, _ *connector.Session, c connector.Call, in sum) (automation.Outcome, total, error) {
			return automation.Outcome(c.Receipt), total{len(in.Of)}, nil
		},
	}.Build()
}

func TestTypedTool(t *testing.T) {
	t.Parallel()
	tool := adder()
	require.JSONEq(t, `{"type":"object","required":["of"],"additionalProperties":false,"properties":{
		"of":{"type":"array","items":{"type":"integer"},"maxItems":3,"description":"numbers"},"note":{"type":"string","description":"said to nobody"}}}`, string(tool.InputSchema))
	require.JSONEq(t, `{"type":"object","required":["total"],"additionalProperties":false,"properties":{"total":{"type":"integer"}}}`, string(tool.OutputSchema))

	result, err := tool.Call(t.Context(), nil, connector.Call{Arguments: json.RawMessage(`{"of":[1,2]}`)})
	require.NoError(t, err)
	require.JSONEq(t, `{"total":3}`, string(result.Structured))

	_, err = tool.Call(t.Context(), nil, connector.Call{ID: "broken", Arguments: json.RawMessage(`{"of":[]}`)})
	require.EqualError(t, err, "broken")

	_, err = tool.Call(t.Context(), nil, connector.Call{Arguments: json.RawMessage(`{"of":[1],"more":1}`)})
	refused, ok := errors.AsType[*connector.Error](err)
	require.True(t, ok && refused.Answered && !refused.Ran)
}

func TestTypedProbe(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		outcome automation.Outcome
		result  string
	}{{automation.OutcomeDone, `{"total":2}`}, {automation.OutcomeFailed, ""}, {automation.OutcomeUnknown, ""}} {
		found, err := adder().Probe(t.Context(), nil, connector.Call{Receipt: string(tt.outcome), Arguments: json.RawMessage(`{"of":[1,2]}`)})
		require.NoError(t, err)
		require.Equal(t, connector.Found{Outcome: tt.outcome, Result: connector.Result{Structured: []byte(tt.result)}}, normal(found))
	}
	found, err := adder().Probe(t.Context(), nil, connector.Call{Arguments: json.RawMessage(`[]`)})
	require.Error(t, err)
	require.Equal(t, automation.OutcomeUnknown, found.Outcome)
}

func TestProbeIsRepeatedWhileItFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		failures, asked int
		err             error
		outcome         automation.Outcome
	}{
		{2, 3, errors.New("broken connection"), automation.OutcomeDone},
		{9, 3, errors.New("broken connection"), automation.OutcomeUnknown},
		{9, 1, &oauth.ConsentError{Reason: "withdrawn"}, automation.OutcomeUnknown},
	} {
		asked := 0
		tool := connector.Typed[struct{}, total]{
			Tool: connector.Tool{Name: "MATH_X"},
			Probe: func(context.Context, *connector.Session, connector.Call, struct{}) (automation.Outcome, total, error) {
				if asked++; asked <= tt.failures {
					return automation.OutcomeUnknown, total{}, tt.err
				}
				return automation.OutcomeDone, total{}, nil
			},
		}.Build()
		found, err := tool.Probe(t.Context(), nil, connector.Call{Arguments: json.RawMessage(`{}`)})
		require.Equal(t, tt.outcome, found.Outcome)
		require.Equal(t, tt.asked, asked)
		require.Equal(t, tt.outcome != automation.OutcomeDone, errors.Is(err, tt.err))
	}
}

// normal takes the difference between no result and an empty one away.
func normal(f connector.Found) connector.Found {
	f.Result.Structured = append([]byte{}, f.Result.Structured...)
	return f
}

func TestToolWithoutArgumentsHasProperties(t *testing.T) {
	t.Parallel()
	tool := connector.Typed[struct{}, total]{Tool: connector.Tool{Name: "MATH_ZERO"}}.Build()
	require.JSONEq(t, `{"type":"object","properties":{},"additionalProperties":false}`, string(tool.InputSchema))
	require.Nil(t, tool.Probe)
}

func TestTypeWithoutSchemaIsAMistakeOfTheProgram(t *testing.T) {
	t.Parallel()
	require.Panics(t, func() { connector.Typed[struct{ C chan int }, total]{Tool: connector.Tool{Name: "X"}}.Build() })
}
