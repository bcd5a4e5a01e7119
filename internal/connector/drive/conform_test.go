package drive_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	driveapi "google.golang.org/api/drive/v3"

	"steward/internal/connector/connectortest"
	"steward/internal/connector/drive"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	connectortest.Conform(t, drive.New(), driveapi.DriveReadonlyScope, driveapi.DriveFileScope, driveapi.DriveScope)
}

// What is asked for when somebody connects: to read all files, and to write those that are made here.
func TestLeastScopes(t *testing.T) {
	t.Parallel()
	var asked []string
	for _, tool := range drive.New().Tools {
		asked = append(asked, tool.Scopes[0])
	}
	require.Subset(t, []string{driveapi.DriveReadonlyScope, driveapi.DriveFileScope}, asked)
}
