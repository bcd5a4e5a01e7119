package shape

import (
	"slices"

	"steward/internal/fault"
)

// Bounds of the work that a schema may ask for, in applications of a subschema to a value. One takes about a
// microsecond.
const (
	maxCost   = 100_000   // that one value, and what finite subschemas ask of its inside, may lead to
	maxFrames = 1_000     // nested in each other: stack, and text that the library's errors repeat at each
	maxSurvey = 1_000_000 // looked at here to learn how a recursion grows
	maxWork   = 5_000_000 // that one validation may take
)

// bound is what one schema may ask for.
//
// A recursive subschema is one from which a cycle can be reached. Cycles lead into the value, so that its depth ends
// them; but each level may multiply the work. growth is the most times that recursive subschemas apply to one and
// the same member or item because one of them applied to the value around it. What lies d levels deep is then
// visited at most growth^d times, at the price of cost each time.
type bound struct {
	cost      int
	height    int // frames that one recursive subschema puts between a value and the next inside
	growth    int
	recursive bool
}

func (g *graph) bound() (bound, error) {
	here, all := make([][]int, len(g.nodes)), make([][]int, len(g.nodes))
	for id, n := range g.nodes {
		here[id], all[id] = n.here, slices.Clone(n.here)
		for _, e := range n.below {
			all[id] = append(all[id], e.to)
		}
	}
	if looping := unpeeled(here, peel(here)); looping != nil {
		return bound{}, refuse("applies itself to the same value again, without end", g.nodes[cycle(here, looping)].pointer)
	}
	recursive := unpeeled(all, peel(all))
	b, err := g.weigh(all, recursive)
	if err != nil {
		return bound{}, err
	}
	b.recursive, b.growth = recursive != nil, 1
	if b.recursive {
		b.growth, err = g.growth(recursive)
	}
	return b, err
}

// weigh finds the dearest subschema and the highest. A recursive one inside a value counts once: the values inside
// pay for it themselves. Without such edges the graph has no cycles, and leaves come first.
func (g *graph) weigh(all [][]int, recursive []bool) (b bound, err error) {
	once := make([][]int, len(all))
	for id, n := range g.nodes {
		once[id] = slices.Clone(n.here)
		for _, e := range n.below {
			if recursive == nil || !recursive[e.to] {
				once[id] = append(once[id], e.to)
			}
		}
	}
	cost, height := make([]int, len(all)), make([]int, len(all))
	for _, id := range peel(once) {
		cost[id] = g.nodes[id].cost + len(all[id]) - len(once[id])
		for _, to := range once[id] {
			cost[id] = min(cost[id]+cost[to], maxCost+1)
			height[id] = max(height[id], height[to])
		}
		height[id]++
		if cost[id] > maxCost {
			return bound{}, refuse("takes too much work: its references multiply", g.nodes[id].pointer)
		}
		if height[id] > maxFrames {
			return bound{}, refuse("takes too long a chain of references", g.nodes[id].pointer)
		}
		b.cost, b.height = max(b.cost, cost[id]), max(b.height, height[id])
	}
	return b, nil
}

// growth walks what each recursive subschema applies to one value, as the validator does, and counts for each member
// and item how many recursive ones apply to it. Keywords for all members count for every member, even where the
// validator leaves out those that "properties" names.
func (g *graph) growth(recursive []bool) (int, error) {
	entries := map[int]bool{0: true}
	for _, n := range g.nodes {
		for _, e := range n.below {
			entries[e.to] = recursive[e.to]
		}
	}
	most, survey := 1, 0
	for entry, counts := range entries {
		if !counts {
			continue
		}
		times := map[edge]int{} // edge.to is left 0
		for queue := []int{entry}; len(queue) > 0; {
			n := g.nodes[queue[len(queue)-1]]
			queue = append(queue[:len(queue)-1], n.here...)
			if survey += 1 + len(n.below); survey > maxSurvey {
				return 0, fault.New(fault.Invalid, "the recursion of the schema is too complicated")
			}
			for _, e := range n.below {
				if recursive[e.to] {
					times[edge{place: e.place, at: e.at}]++
				}
			}
		}
		most = max(most, meeting(times, oneMember, eachMember), meeting(times, oneItem, eachItem))
	}
	return most, nil
}

// meeting is the most that meets at one member or item.
func meeting(times map[edge]int, one, each place) int {
	most, always := 0, 0
	for e, n := range times {
		switch e.place {
		case one:
			most = max(most, n)
		case each: // all patterns may match one name
			always += n
		}
	}
	return most + always
}
