package drive_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	driveapi "google.golang.org/api/drive/v3"

	"steward/internal/connector/drive"
	"steward/internal/connector/google/googletest"
)

const (
	create = "DRIVE_CREATE_FILE"
	mkdir  = "DRIVE_CREATE_FOLDER"
)

type file struct {
	ID, Name, Type, Modified, Link string
	Size                           int64
	Folders                        []string
}

type content struct {
	Name, Type, Text, Base64, Cut string
	Size                          int64
}

type page struct {
	Files         []file
	NextPageToken string
	Incomplete    bool
}

type account struct {
	*googletest.Account
	t *testing.T
}

func newAccount(t *testing.T) account {
	t.Helper()
	return account{googletest.NewAccount(t, drive.New(), driveapi.DriveReadonlyScope, driveapi.DriveFileScope), t}
}

func (a account) make(tool, arguments string) file {
	a.t.Helper()
	var made file
	require.NoError(a.t, a.Call(tool, googletest.NewAttempt(arguments), &made))
	return made
}

func (a account) names(tool, arguments string) []string {
	a.t.Helper()
	var got page
	require.NoError(a.t, a.Call(tool, googletest.NewAttempt(arguments), &got))
	names := []string{}
	for _, f := range got.Files {
		names = append(names, f.Name)
	}
	return names
}
