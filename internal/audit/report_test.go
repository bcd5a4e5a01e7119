package audit

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReport(t *testing.T) {
	t.Parallel()
	ok := Report{Chains: 2, Events: 7, Checkpoints: 1, Findings: []Finding{}, Elapsed: 1500 * time.Microsecond}
	unsure := ok
	unsure.CannotTell = []string{"no public key"}
	broken := unsure
	broken.Activities = 3
	broken.Findings = []Finding{
		{Chain: "run/2", Seq: 3, Problem: Altered, Detail: "d1"},
		{Chain: "run/3", Problem: Unrecorded, Detail: "d2"},
		{Seq: 4, Problem: RolledBack, Detail: "d3"},
	}
	broken.Omitted = 5
	for _, row := range []struct {
		report Report
		code   int
		text   string
	}{
		{ok, 0, "valid: 7 events in 2 chains, 1 checkpoints (2ms)\n"},
		{unsure, 2, "cannot tell: 7 events in 2 chains, 1 checkpoints (2ms)\n  cannot tell: no public key\n"},
		{broken, 1, `BROKEN: 7 events in 2 chains, 1 checkpoints, 3 activities (2ms)
  run/2 event 3: altered: d1
  run/3: unrecorded: d2
  checkpoint 4: rolled_back: d3
  and 5 more
  cannot tell: no public key
`},
	} {
		require.Equal(t, row.code, row.report.ExitCode())
		var b strings.Builder
		require.NoError(t, row.report.WriteText(&b))
		require.Equal(t, row.text, b.String())
	}
	raw, err := json.Marshal(broken)
	require.NoError(t, err)
	require.JSONEq(t, `{"chains":2,"events":7,"checkpoints":1,"activities":3,"omitted":5,"cannot_tell":["no public key"],"elapsed_ns":1500000,
		"findings":[{"chain":"run/2","seq":3,"problem":"altered","detail":"d1"},{"chain":"run/3","problem":"unrecorded","detail":"d2"},
		{"seq":4,"problem":"rolled_back","detail":"d3"}]}`, string(raw))
	raw, err = json.Marshal(Report{Findings: []Finding{}})
	require.NoError(t, err)
	require.Contains(t, string(raw), `"findings":[]`)

	var many Report
	for range maxFindings + 3 {
		many.add(Finding{Problem: Missing})
	}
	require.Len(t, many.Findings, maxFindings)
	require.EqualValues(t, 3, many.Omitted)
}
