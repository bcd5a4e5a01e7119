// Package compose holds what docker-compose.yml mounts into images that are not ours, and a test that keeps the
// file hardened: nothing in it may start with a default secret, as root with rights, or open to the network.
package compose
