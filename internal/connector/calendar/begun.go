package calendar

import "strings"

// begun is a list of events that began with what was on when its first page was asked for. Google wants every page to be
// asked for with the same time, which is therefore part of our tokens.
type begun struct{ at, page string }

// Google's tokens have no space.
const between = " "

// begunOf reads a token of ours. Of a list that began otherwise, it is Google's own, and at is empty.
func begunOf(token string) begun {
	if at, page, ours := strings.Cut(token, between); ours {
		return begun{at, page}
	}
	return begun{page: token}
}

// next is the token of the page that follows, empty if there is none.
func (b begun) next(page string) string {
	if b.at == "" || page == "" {
		return page
	}
	return b.at + between + page
}
