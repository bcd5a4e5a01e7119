package shape

import "slices"

// peel takes the leaves off a graph again and again. What it returns, leaves first, reaches no cycle.
func peel(successors [][]int) (order []int) {
	left, predecessors := make([]int, len(successors)), make([][]int, len(successors))
	for id, next := range successors {
		left[id] = len(next)
		for _, to := range next {
			predecessors[to] = append(predecessors[to], id)
		}
		if left[id] == 0 {
			order = append(order, id)
		}
	}
	for i := 0; i < len(order); i++ {
		for _, from := range predecessors[order[i]] {
			if left[from]--; left[from] == 0 {
				order = append(order, from)
			}
		}
	}
	return order
}

// unpeeled marks what reaches a cycle, or is nil if nothing does.
func unpeeled(successors [][]int, order []int) []bool {
	if len(order) == len(successors) {
		return nil
	}
	rest := slices.Repeat([]bool{true}, len(successors))
	for _, id := range order {
		rest[id] = false
	}
	return rest
}

// cycle finds a member of a cycle: each that reaches one has a successor that does.
func cycle(successors [][]int, reaches []bool) int {
	at := slices.Index(reaches, true)
	for range successors { // after as many steps as there are nodes, one is on it
		at = successors[at][slices.IndexFunc(successors[at], func(to int) bool { return reaches[to] })]
	}
	return at
}
