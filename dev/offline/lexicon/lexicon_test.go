package lexicon_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/offline/lexicon"
)

func TestWordsComeApart(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"search", "e", "mails", "from", "file", "name2", "get", "sum"},
		lexicon.Words("search_e-mails: fromFileName2 get-sum"))
	require.Empty(t, lexicon.Words(" -_.!"))
}

func TestFormsOfOneWordMeet(t *testing.T) {
	t.Parallel()
	for _, forms := range [][]string{
		{"delete", "deletes", "deleted", "deleting"},
		{"file", "files"},
		{"directory", "directories", "dir"},
		{"summarise", "summarize", "summarised"},
		{"send", "sent", "sends", "sending"},
		{"write", "writes", "wrote", "writing"},
		{"call", "calls", "calling"},
		{"search", "searches", "searching"},
	} {
		for _, form := range forms {
			require.Equal(t, lexicon.Stem(forms[0]), lexicon.Stem(form), form)
		}
	}
	require.NotEqual(t, lexicon.Stem("add"), lexicon.Stem("ad"))
}

func TestVerbs(t *testing.T) {
	t.Parallel()
	require.True(t, lexicon.Changes(lexicon.Stem("deleting")))
	require.True(t, lexicon.Looks(lexicon.Stem("listed")))
	require.True(t, lexicon.Reads(lexicon.Stem("sum")))
	require.False(t, lexicon.Looks(lexicon.Stem("sum")))
	require.True(t, lexicon.Finishes(lexicon.Stem("summarizing")))
	require.Contains(t, lexicon.Related(lexicon.Stem("delete")), lexicon.Stem("remove"))
}
