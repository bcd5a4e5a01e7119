package audit

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func testSigner(t testing.TB) (note.Signer, note.Verifiers) {
	private, public, err := GenerateKey("test")
	require.NoError(t, err)
	signer, err := note.NewSigner(private.Reveal())
	require.NoError(t, err)
	keys, err := verifiers([]string{public})
	require.NoError(t, err)
	return signer, keys
}

func TestCheckpointText(t *testing.T) {
	t.Parallel()
	signer, keys := testSigner(t)
	want := tree{7, tlog.RecordHash([]byte("x"))}
	msg, err := note.Sign(&note.Note{Text: want.text("test")}, signer)
	require.NoError(t, err)
	got, err := openCheckpoint(string(msg), keys)
	require.NoError(t, err)
	require.Equal(t, want, got)
	for _, text := range []string{"test\n", "test\n0\nx\n", "test\nseven\n" + want.root.String() + "\n", "test\n7\nshort\n"} {
		msg, err := note.Sign(&note.Note{Text: text}, signer)
		require.NoError(t, err)
		_, err = openCheckpoint(string(msg), keys)
		require.ErrorIs(t, err, errCheckpoint, text)
	}
	_, err = openCheckpoint(strings.Replace(string(msg), "7", "8", 1), keys)
	require.Error(t, err)
}

func TestPackHeads(t *testing.T) {
	t.Parallel()
	want := []signedHead{{"run/1", 3, []byte{1, 2}}, {"system", 1 << 40, bytes.Repeat([]byte{255}, 32)}}
	packed, err := packHeads(want)
	require.NoError(t, err)
	var got []signedHead
	require.NoError(t, eachHead(packed, func(h signedHead) { got = append(got, h) }))
	require.Empty(t, cmp.Diff(want, got, cmp.AllowUnexported(signedHead{})))
	require.Error(t, eachHead(packed[:len(packed)-9], func(signedHead) {}))
	require.Error(t, eachHead([]byte("plain"), func(signedHead) {}))
}

func TestCheckpointFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "checkpoints.jsonl")
	want := []fileEntry{
		{1, time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), "a\n\n— x\n"},
		{2, time.Date(2026, 11, 21, 9, 1, 0, 0, time.UTC), "b"},
	}
	for _, e := range want {
		require.NoError(t, appendCheckpoint(path, e))
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	got, err := readCheckpoints(bytes.NewReader(append(raw, `{"id":3,"no`...)))
	require.NoError(t, err, "the process died while it wrote the third")
	require.Empty(t, cmp.Diff(want, got))
	_, err = readCheckpoints(strings.NewReader("nonsense\n"))
	require.Error(t, err)
	require.NoError(t, appendCheckpoint("", want[0]), "no file wanted")
	require.Error(t, appendCheckpoint(filepath.Join(path, "below"), want[0]))
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for range 200 { // base64 with and without plus signs
		private, public, err := GenerateKey("steward.example")
		require.NoError(t, err)
		derived, err := PublicKey(private)
		require.NoError(t, err)
		require.Equal(t, public, derived)
	}
	for _, name := range []string{"", "two words", "a+b", "line\n"} {
		_, _, err := GenerateKey(name)
		require.Error(t, err, name)
	}
}

// FuzzHeads holds the readers of stored checkpoints to: no panic, and what is read is written the same.
func FuzzHeads(f *testing.F) {
	f.Add("run/1 3 AQI=")
	f.Add("system 9223372036854775807 ")
	f.Add("a b c d")
	f.Fuzz(func(t *testing.T, line string) {
		h, err := parseHead(line)
		if err != nil {
			return
		}
		again, err := parseHead(strings.TrimSuffix(string(h.record()), "\n"))
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(h, again, cmp.AllowUnexported(signedHead{})))
	})
}

// FuzzCheckpointFile holds the reader of the checkpoint file to: no panic, no note that opens by accident.
func FuzzCheckpointFile(f *testing.F) {
	f.Add([]byte(`{"id":1,"at":"2026-11-21T09:00:00Z","note":"test\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— test x\n"}` + "\n"))
	_, keys := testSigner(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		entries, err := readCheckpoints(bytes.NewReader(raw))
		if err != nil {
			return
		}
		for _, e := range entries {
			_, err := openCheckpoint(e.Note, keys)
			require.Error(t, err)
		}
	})
}
