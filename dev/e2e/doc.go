// Package e2e tries the product from outside, as its users do: `steward dev` as a process, HTTP, the CLI,
// the outbox folder. Its tests share one stack; those that break things start one of their own.
package e2e
