// Package arch holds the shape of this repository by tests: which package may import which, how packages are
// named, and how long a file may be. It reads the source text of every file, for every platform, and has no
// code of its own.
package arch
