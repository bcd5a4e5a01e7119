// Package egress is the only way to addresses that users or remote servers supply: its dialer and its HTTP client.
// An address is judged when it is dialled, after DNS, so that a name cannot point elsewhere between the check and the
// use.
package egress

import "errors"

// ErrDenied means that an address is not for this user to reach. Errors of an Exit hold it, also below the net.OpError
// and url.Error that dialling and net/http wrap around it; a driver that keeps only the text of its dial errors loses
// it, so whoever gives a driver Exit.Dial looks at what Dial itself has returned.
var ErrDenied = errors.New("address not allowed")
