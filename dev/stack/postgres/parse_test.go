package postgres

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinksStayInsideThePackage(t *testing.T) {
	t.Parallel()
	links, err := parseLinks([]byte(`[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]`))
	require.NoError(t, err)
	require.Equal(t, []link{{at: "native/lib/libpq.so.5", to: "libpq.so.5.18"}}, links)

	for _, bad := range []string{
		`[{"source":"native/a","target":"../b"}]`,
		`[{"source":"/etc/passwd","target":"native/b"}]`,
		`[{"source":"native/../../x","target":"native/b"}]`,
		`[{"source":"native/a","target":"package.json"}]`,
		`{`,
	} {
		_, err := parseLinks([]byte(bad))
		require.Error(t, err, bad)
	}
}

func FuzzLinks(f *testing.F) {
	f.Add([]byte(`[{"source":"native/lib/a.so.1","target":"native/lib/a.so"}]`))
	f.Add([]byte(`[{"source":"native/../x","target":"native/lib/a.so"}]`))
	f.Fuzz(func(t *testing.T, content []byte) {
		links, err := parseLinks(content)
		if err != nil {
			return
		}
		for _, l := range links {
			require.True(t, strings.HasPrefix(l.at, "native/"))
			require.True(t, strings.HasPrefix(path.Join(path.Dir(l.at), l.to), "native/"), "%+v", l)
		}
	})
}

func FuzzPID(f *testing.F) {
	f.Add([]byte("4711\n/data\n"))
	f.Add([]byte("-1"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if pid, ok := pidIn(content); ok {
			require.Greater(t, pid, 1, "0, 1 and negative numbers address more than one process")
		}
	})
}

func TestPID(t *testing.T) {
	t.Parallel()
	pid, ok := pidIn([]byte("4711\n/data\n17\n"))
	require.True(t, ok)
	require.Equal(t, 4711, pid)
	for _, bad := range []string{"", "\n", "0", "1", "-5\n", "x", "99999999999999999999"} {
		_, ok := pidIn([]byte(bad))
		require.False(t, ok, "%q", bad)
	}
}
