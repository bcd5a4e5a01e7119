package mysql

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The first wall is what a statement says; the second, at the database, is its session (session.go). Each must hold
// alone: a read-only transaction lets a DROP pass, and words alone do not know what a function does.

// readKinds are the first words of statements that only read.
var readKinds = []string{"select", "with", "values", "table", "show", "describe", "desc", "explain"}

// writeKinds are the first words of statements that change rows.
var writeKinds = []string{"insert", "update", "delete", "replace"}

// notInReads are reserved words, so they cannot be bare names: a file or a variable is written, rows are locked or
// changed behind a WITH or an EXPLAIN, or a statement is run to be explained.
var notInReads = []string{"into", "update", "delete", "analyze"}

// notInWrites are reserved words too.
var notInWrites = []string{"outfile", "dumpfile", "returning"}

// functions that wait, lock, read files or change something in spite of a read-only transaction.
var functions = []string{
	"benchmark", "sleep", "get_lock", "release_lock", "release_all_locks", "load_file", "nextval", "setval",
	"master_pos_wait", "master_gtid_wait", "source_pos_wait", "wait_for_executed_gtid_set", "wait_until_sql_thread_after_gtids",
	"sys_eval", "sys_exec", "sys_get", "sys_set",
}

// phrases are words in a row.
var phrases = [][]string{
	{"for", "share"},
	{"lock", "in"},
	{"next", "value"},
	{"previous", "value"},
	{"show", "grants"},
	{"create", "user"}, // with the hash of the password
}

// checkRead refuses what is not one statement that only reads. Its error is a refusal.
func checkRead(query string) error {
	all, err := single(query, readKinds)
	if err != nil {
		return err
	}
	if err := without(all, notInReads); err != nil {
		return err
	}
	return harmless(all)
}

// checkWrite refuses what is not one statement that changes rows. Its error is a refusal.
func checkWrite(statement string) ([]token, error) {
	all, err := single(statement, writeKinds)
	if err != nil {
		return nil, err
	}
	if err := without(all, notInWrites); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(all, func(t token) bool { return t.isName() && t.text == callsTable }) {
		return nil, refusal("the table " + callsTable + " is Steward's own")
	}
	return all, harmless(all)
}

// single takes a statement apart and sees to it that it is one, of one of the kinds.
func single(statement string, kinds []string) ([]token, error) {
	all, err := tokens(statement)
	if err != nil {
		return nil, err
	}
	for len(all) > 0 && all[len(all)-1].is(";") {
		all = all[:len(all)-1]
	}
	if slices.ContainsFunc(all, func(t token) bool { return t.is(";") }) {
		return nil, refusal("only one statement is allowed at a time")
	}
	first := 0
	for first < len(all) && all[first].is("(") {
		first++
	}
	if first == len(all) {
		return nil, refusal("there is no statement")
	}
	if all[first].kind != word || !slices.Contains(kinds, all[first].text) {
		return nil, refusal("only statements that begin with " + strings.ToUpper(strings.Join(kinds, ", ")) + " are allowed")
	}
	return all, nil
}

func without(all []token, words []string) error {
	for _, t := range all {
		if t.kind == word && slices.Contains(words, t.text) {
			return refusal(strings.ToUpper(t.text) + " is not allowed here")
		}
	}
	return nil
}

// harmless refuses functions, phrases and tables that no tool may use.
func harmless(all []token) error {
	for i, t := range all {
		followed := func(by string) bool { return i+1 < len(all) && all[i+1].is(by) }
		switch {
		case !t.isName():
		case followed("(") && slices.ContainsFunc(functions, t.mayBe):
			return refusal(fmt.Sprintf("the function %s is not allowed", strings.ToUpper(t.text)))
		case followed(".") && t.text == ownDatabase:
			return refusal("the server's own tables, in the database mysql, are not for tools")
		}
		for _, phrase := range phrases {
			if begins(all[i:], phrase) {
				return refusal(strings.ToUpper(strings.Join(phrase, " ")) + " is not allowed")
			}
		}
	}
	return nil
}

func begins(all []token, phrase []string) bool {
	if len(all) < len(phrase) {
		return false
	}
	for i, w := range phrase {
		if all[i] != (token{word, w}) {
			return false
		}
	}
	return true
}

// mayBe says whether the server may take a name for the function's: it ignores case and accents, so SLÉEP is SLEEP. Any
// letter that is not ASCII is taken for whatever would fit.
func (t token) mayBe(function string) bool {
	letters := []rune(t.text)
	if len(letters) != len(function) {
		return false
	}
	for i, r := range letters {
		if r < utf8.RuneSelf && r != rune(function[i]) {
			return false
		}
	}
	return true
}

func (t token) is(s string) bool { return t == token{sign, s} }

func (t token) isName() bool { return t.kind == word || t.kind == name }
