// Package statement reads what a model wants to send to PostgreSQL, and refuses what is not one statement of a kind that
// the tool is for.
//
// It is the second wall. The first is the database: the extended protocol takes one statement, a query runs in a
// transaction that only reads and is always rolled back, and the role is no powerful one. What the database lets pass
// even so, such as a function that ends other sessions or takes locks, is refused here by name. A whole parser is not
// needed for that, and the one there is (pg_query) is C.
package statement

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Ledger is the name of the table that makes changes exact. No statement may name it.
const Ledger = "steward_calls"

const onlyReads = "this tool takes one statement that reads: SELECT, VALUES, TABLE, WITH, SHOW, or EXPLAIN without ANALYZE"

// Query accepts one statement that only reads. Its error is for the model.
func Query(sql string) error {
	tokens, err := one(sql)
	if err != nil {
		return err
	}
	switch first := tokens[0]; {
	case first.is("show"):
		return show(tokens[1:])
	case first.is("explain"):
		return explain(tokens[1:])
	default:
		return query(tokens)
	}
}

// Change accepts one INSERT, UPDATE, DELETE or MERGE. Its error is for the model.
func Change(sql string) error {
	tokens, err := one(sql)
	if err != nil {
		return err
	}
	if !tokens[0].is("insert", "update", "delete", "merge") {
		return errors.New("this tool takes one INSERT, UPDATE, DELETE or MERGE")
	}
	for _, t := range tokens {
		if (t.kind == word || t.kind == quoted) && t.text == Ledger {
			return fmt.Errorf("the table %s is not to be touched: it makes changes exact", Ledger)
		}
	}
	return calls(tokens, acts)
}

// one scans a statement, which a semicolon may follow.
func one(sql string) ([]token, error) {
	tokens, err := scan(sql)
	if err != nil {
		return nil, err
	}
	for len(tokens) > 0 && tokens[len(tokens)-1].isSymbol(";") {
		tokens = tokens[:len(tokens)-1]
	}
	if len(tokens) == 0 {
		return nil, errors.New("the statement is empty")
	}
	if slices.ContainsFunc(tokens, func(t token) bool { return t.isSymbol(";") }) {
		return nil, errors.New("there is more than one statement: send them one by one")
	}
	return tokens, nil
}

// query accepts a query, which may stand in parentheses.
func query(tokens []token) error {
	first := slices.IndexFunc(tokens, func(t token) bool { return !t.isSymbol("(") })
	if first < 0 || !tokens[first].is("select", "values", "table", "with") {
		return errors.New(onlyReads)
	}
	for i, t := range tokens {
		switch next := after(tokens, i); {
		case t.is("into"):
			return errors.New("INTO makes a table: " + onlyReads)
		case t.is("for") && locks(next, after(tokens, i+1)):
			return errors.New("FOR UPDATE and its like lock rows: " + onlyReads)
		case t.is("insert", "update", "delete", "merge") && begins(tokens, i) && (next.kind == word || next.kind == quoted):
			return fmt.Errorf("%s changes data: %s", strings.ToUpper(t.text), onlyReads)
		}
	}
	return calls(tokens, acts, moves)
}

// after is the token behind i; the zero token is an empty word.
func after(tokens []token, i int) token {
	if i+1 < len(tokens) {
		return tokens[i+1]
	}
	return token{}
}

// begins says whether a statement may begin at i: alone, in parentheses, or behind the list of a WITH.
func begins(tokens []token, i int) bool {
	return i == 0 || tokens[i-1].isSymbol("(") || tokens[i-1].isSymbol(")")
}

// locks knows the four strengths of a row's lock; substring(a FOR key) is none.
func locks(next, second token) bool {
	return next.is("update", "share") || next.is("no") && second.is("key") || next.is("key") && second.is("share")
}

func show(tokens []token) error {
	for _, t := range tokens {
		if t.kind != word && t.kind != quoted && !t.isSymbol(".") {
			return errors.New(onlyReads)
		}
	}
	return nil
}

// explainOptions are those that do not run the statement, and their values.
var explainOptions = []string{
	"verbose", "costs", "settings", "generic_plan", "summary", "memory", "format", "on", "off", "true", "false", "text", "xml", "json", "yaml",
}

// explain accepts EXPLAIN of a query that is not run.
func explain(tokens []token) error {
	inside := after(tokens, 0)
	if len(tokens) > 0 && tokens[0].isSymbol("(") && !inside.isSymbol("(") && !inside.is("select", "values", "table", "with") {
		end := slices.IndexFunc(tokens, func(t token) bool { return t.isSymbol(")") })
		if end < 0 {
			return errors.New(onlyReads)
		}
		for _, t := range tokens[1:end] {
			if !t.is(explainOptions...) && !t.isSymbol(",") {
				return errors.New("this option of EXPLAIN may run the statement: " + onlyReads)
			}
		}
		tokens = tokens[end+1:]
	} else if len(tokens) > 0 && tokens[0].is("verbose") {
		tokens = tokens[1:]
	}
	if len(tokens) == 0 {
		return errors.New("EXPLAIN of what?")
	}
	return query(tokens)
}
