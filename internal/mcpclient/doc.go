// Package mcpclient keeps sessions to MCP servers and calls their tools.
//
// A session is expensive to start (530 ms for a Node child) and cheap to use (0.17 ms), so a Pool keeps one
// per user, server and credential version and starts another only when that one is gone. The package adds
// to go-sdk what it leaves to its users: a bounded probe of the protocol era, the transport of 2024-11-05 where a
// server knows no other, sessions that outlive this process, children that die with us and take their own children
// along, noise on stdout, message caps, raw tool definitions and results, questions to people, tasks (SEP-2663), and
// an Error that says whether a failed call can have run.
package mcpclient
