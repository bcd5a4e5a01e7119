package input

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MissingError is values that nobody has given.
type MissingError struct{ Names []string }

// Error names them.
func (e *MissingError) Error() string { return "missing: " + strings.Join(e.Names, ", ") }

// UnfitError is a value that its field does not take.
type UnfitError struct{ Name, Why string }

// Error does not repeat the value.
func (e *UnfitError) Error() string { return e.Name + " " + e.Why }

// maxValue is the most that a value may hold, in bytes: certificates fit, files do not.
const maxValue = 64 << 10

// Fits says why a text cannot be the input's value, or nothing.
func (i Input) Fits(value string) string {
	switch {
	case len(value) > maxValue:
		return fmt.Sprintf("is longer than %d bytes", maxValue)
	case strings.ContainsRune(value, 0):
		return "holds the character U+0000"
	case len(i.Choices) > 0 && !slices.Contains(i.Choices, value):
		return "is none of the choices"
	}
	switch i.Format {
	case Number:
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return "is not a number"
		}
	case Boolean:
		if value != "true" && value != "false" {
			return "is neither true nor false"
		}
	case Filepath:
		if strings.ContainsAny(value, "\r\n") {
			return "is not a path"
		}
	case Text, "":
	}
	return ""
}

// FitsArgument says why a text cannot stand as an argument of a command: one that begins with a dash could be read
// as an option of the command's own (security.md T-02).
func (i Input) FitsArgument(value string) string {
	switch {
	case strings.HasPrefix(value, "-"):
		return "begins with a dash, which the command could take for an option"
	case strings.ContainsAny(value, "\r\n"):
		return "holds a line break"
	}
	return i.Fits(value)
}
