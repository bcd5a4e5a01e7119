package workflows

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/activities"
)

func TestEveryActivityHasItsOptions(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, concern := range []reflect.Type{reflect.TypeFor[*activities.Run](), reflect.TypeFor[*activities.Package]()} {
		for m := range concern.Methods() {
			o, ok := options[m.Name]
			require.True(t, ok, "no options for %s", m.Name)
			require.Positive(t, o.StartToCloseTimeout, m.Name)
			require.Positive(t, o.HeartbeatTimeout, "%s: without it a killed worker is found after StartToClose", m.Name)
			require.NotNil(t, o.RetryPolicy, m.Name)
			seen[m.Name] = true
		}
	}
	for name := range options {
		require.True(t, seen[name], "options for %s, which is no activity", name)
	}
}
