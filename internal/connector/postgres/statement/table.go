package statement

// tables are the places of names that a parenthesis follows and that are no calls even so: the table of an INSERT
// before its columns, and what a WITH makes. People call tables cron_jobs and http_logs. Where it is not sure, a name
// is a call.
func tables(tokens []token) map[int]bool {
	found := map[int]bool{}
	for i, t := range tokens {
		switch {
		case t.is("into") && i > 0 && tokens[i-1].is("insert"):
			found[path(tokens, i+1)] = true
		case t.is("with") && !after(tokens, i).is("ordinality"):
			made(tokens, i+1, found)
		}
	}
	return found
}

// path is the last name of those that begin at i, with dots between them.
func path(tokens []token, i int) int {
	for after(tokens, i).isSymbol(".") {
		i += 2
	}
	return i
}

// made finds the names of a WITH whose list begins at i. They are told from functions by their place alone: FROM
// http_get(a) AS (b int) looks like one of them.
func made(tokens []token, i int, found map[int]bool) {
	if i < len(tokens) && tokens[i].is("recursive") && !after(tokens, i).is("as") && !after(tokens, i).isSymbol("(") {
		i++
	}
	for i < len(tokens) && tokens[i].isName() {
		name, end := i, i
		if after(tokens, i).isSymbol("(") {
			end = closing(tokens, i+1)
		}
		if !after(tokens, end).is("as") {
			return
		}
		found[name] = true
		for i = end + 1; after(tokens, i).is("not", "materialized"); i++ {
		}
		if !after(tokens, i).isSymbol("(") {
			return
		}
		if i = closing(tokens, i+1) + 1; i >= len(tokens) || !tokens[i].isSymbol(",") {
			return
		}
		i++
	}
}

// closing is where the parenthesis that opens at i is closed, or the end.
func closing(tokens []token, i int) int {
	depth := 0
	for ; i < len(tokens); i++ {
		switch {
		case tokens[i].isSymbol("("):
			depth++
		case tokens[i].isSymbol(")"):
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(tokens)
}
