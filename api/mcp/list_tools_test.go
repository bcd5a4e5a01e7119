package mcp

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
	"steward/internal/tool"
)

func TestToolsComeInPages(t *testing.T) {
	t.Parallel()
	all := tool.Catalogue{Absent: []tool.Absence{{Server: "travel", Reason: "it cannot be reached"}}}
	for i := range 5 {
		all.Tools = append(all.Tools, tool.Tool{Function: fmt.Sprintf("f%d", i), Name: fmt.Sprintf("f%d", i), ServerName: map[bool]string{true: "even", false: "odd"}[i%2 == 0]})
	}
	var names []string
	in := toolsInput{Limit: 2}
	for {
		list, err := page(all, in)
		require.NoError(t, err)
		require.Equal(t, []absent{{Server: "travel", Reason: "it cannot be reached"}}, list.Absent)
		for _, c := range list.Tools {
			names = append(names, c.Name)
			require.Equal(t, "effect", c.Class, "what does not say that it reads may do anything")
		}
		if in.After = list.Next; in.After == "" {
			break
		}
	}
	require.Equal(t, []string{"f0", "f1", "f2", "f3", "f4"}, names)

	list, err := page(all, toolsInput{Server: "odd", Query: "F3"})
	require.NoError(t, err)
	require.Len(t, list.Tools, 1)
	_, err = page(all, toolsInput{After: "gone"})
	require.True(t, fault.Is(err, fault.Invalid))
}
