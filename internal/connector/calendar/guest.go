package calendar

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"

	calendarapi "google.golang.org/api/calendar/v3"
)

// addresses are the mail addresses of people, in lower case and each once. The error says which is none.
func addresses(argument string, people []string) ([]string, error) {
	var out []string
	for _, one := range people {
		list, err := mail.ParseAddressList(one)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is not a mail address", argument, one)
		}
		for _, a := range list {
			if address := strings.ToLower(a.Address); !slices.Contains(out, address) {
				out = append(out, address)
			}
		}
	}
	if len(out) > mostGuests {
		return nil, fmt.Errorf("%s: there are too many for one event", argument)
	}
	return out, nil
}

// guests are people as attendees who have not answered yet.
func guests(addresses []string) []*calendarapi.EventAttendee {
	out := make([]*calendarapi.EventAttendee, len(addresses))
	for i, a := range addresses {
		out[i] = &calendarapi.EventAttendee{Email: a}
	}
	return out
}

// invited finds a guest.
func invited(all []*calendarapi.EventAttendee, address string) bool {
	return slices.ContainsFunc(all, func(a *calendarapi.EventAttendee) bool { return strings.EqualFold(a.Email, address) })
}

// tell says who gets mail about a change: everybody whom it concerns.
const tell = "all"
