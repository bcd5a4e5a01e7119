package mcpclient

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOutputIsChecked(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	target := childTarget("serve")
	for name, tt := range map[string]struct {
		tool, schema string
		fits         bool
	}{
		"fits":            {"exact", `{"type":"object","required":["big"],"properties":{"money":{"type":"number"}}}`, true},
		"any":             {"exact", ``, true},
		"null":            {"exact", `null`, true},
		"does not":        {"exact", `{"type":"object","properties":{"money":{"type":"string"}}}`, false},
		"is not there":    {"echo", `{"type":"object"}`, false},
		"failed anyway":   {"refuse", `{"type":"object"}`, true},
		"endless schema":  {"exact", `{"$ref":"#"}`, true},
		"unusable schema": {"exact", `{"type":7}`, true},
	} {
		for range 2 { // the second time from the cache
			res, err := pool.Call(t.Context(), target, Call{Tool: tt.tool, OutputSchema: json.RawMessage(tt.schema)})
			if tt.fits {
				require.NoError(t, err, name)
				require.NotNil(t, res, name)
				continue
			}
			require.ErrorIs(t, err, ErrOutput, name)
			var e *Error
			require.ErrorAs(t, err, &e, name)
			require.Equal(t, MaybeRun, e.Ran, name)
			require.Equal(t, StageResult, e.Stage, name)
		}
	}
	require.Equal(t, 1, sessions(pool))
}

func TestOutputsAreBounded(t *testing.T) {
	t.Parallel()
	s := &session{}
	for i := range 3 * maxOutputs {
		schema := json.RawMessage(`{"const":` + strconv.Itoa(i) + `}`)
		require.NoError(t, s.checkOutput(t.Context(), schema, &Result{Structured: json.RawMessage(strconv.Itoa(i))}))
		require.LessOrEqual(t, len(s.outputs.compiled), maxOutputs)
	}
}
