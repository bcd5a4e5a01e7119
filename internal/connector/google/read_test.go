package google_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/googleapi"

	"steward/internal/connector"
	"steward/internal/connector/google"
)

func TestAnswersAreToldApart(t *testing.T) {
	t.Parallel()
	answer := func(code int) error { return fmt.Errorf("do: %w", &googleapi.Error{Code: code}) }
	for _, tt := range []struct {
		code                          int
		gone, deleted, taken, changed bool
	}{
		{200, false, false, false, false},
		{404, true, false, false, false},
		{410, true, true, false, false},
		{409, false, false, true, false},
		{412, false, false, false, true},
	} {
		err := answer(tt.code)
		require.Equal(t, []bool{tt.gone, tt.deleted, tt.taken, tt.changed},
			[]bool{google.IsGone(err), google.IsDeleted(err), google.IsTaken(err), google.IsChanged(err)}, tt.code)
	}
	require.False(t, google.IsGone(nil))
	require.True(t, google.Says(&googleapi.Error{Code: 403, Errors: []googleapi.ErrorItem{{Reason: "appNotAuthorizedToFile"}}}, "x", "appNotAuthorizedToFile"))
	require.False(t, google.Says(answer(403), "appNotAuthorizedToFile"))
}

func TestReadsHaveNotHappened(t *testing.T) {
	t.Parallel()
	e := google.ReadFailure(&connector.Session{}, "Drive", nil, &googleapi.Error{Code: 500})
	require.False(t, e.Ran)
	require.Equal(t, "Drive has failed", e.Reason)
}
