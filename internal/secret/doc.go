// Package secret keeps values that must not be read by anyone but the code that uses them: strings that
// never print, Fernet rings that seal a value to its owner, and the redactor for text that leaves us.
package secret
